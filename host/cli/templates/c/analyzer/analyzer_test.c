#include <stdlib.h>

#include "analyzer.h"
#include "vendor/jackfield/testing.h"

int main(void) {
    int failures = jf_test_examples(&word_count, NULL);

    /* Only four characters separate words. */
    JF_EXPECT(failures, &word_count, "{}", "{\"text\":\"one\\u00a0word\\u2028still\\u000bit  two\\r\\n\"}", NULL,
              "{\"words\":2,\"characters\":24,\"longest\":17}");
    JF_EXPECT(failures, &word_count, "{}", "{\"text\":\" \\t\"}", NULL, "{\"words\":0,\"characters\":2,\"longest\":0}");
    /* A text may hold zeros. */
    JF_EXPECT(failures, &word_count, "{}", "{\"text\":\"a\\u0000b c\"}", NULL,
              "{\"words\":2,\"characters\":5,\"longest\":3}");

    /* What does not fit is refused. */
    JF_EXPECT(failures, &word_count, "{}", "{}", NULL, "invalid-input: missing `text`");
    JF_EXPECT(failures, &word_count, "{\"min_length\":0}", "{\"text\":\"\"}", NULL,
              "invalid-config: `min_length`: 0 is less than 1");
    JF_EXPECT(failures, &word_count, "{\"min_lenght\":2}", "{\"text\":\"\"}", NULL,
              "invalid-config: unknown key `min_lenght`, expected `min_length`");

    printf("%s\n", failures == 0 ? "ok" : "failed");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
