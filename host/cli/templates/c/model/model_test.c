#include <stdlib.h>

#include "model.h"
#include "vendor/jackfield/testing.h"

static jf_result hum(jf_call *call, const jf_completion_request *request, jf_completion *answer) {
    jf_text heard = request->messages[request->message_count - 1].content;
    answer->text = jf_format(call, "hm, %.*s", (int)heard.length, heard.data);
    return JF_OK;
}

int main(void) {
    int failures = jf_test_examples(&parrot, NULL);

    /* The last message is repeated. */
    JF_EXPECT(failures, &parrot, "{}",
              "{\"messages\":[{\"role\":\"user\",\"content\":\"one two\"},{\"role\":\"user\",\"content\":\"three  four\"}]}",
              NULL, "{\"text\":\"three four\",\"finish\":\"stop\",\"usage\":{\"input\":4,\"output\":2}}");
    /* `max_tokens` is heeded. */
    JF_EXPECT(failures, &parrot, "{}",
              "{\"messages\":[{\"role\":\"user\",\"content\":\"one two three\"}],\"max_tokens\":1}", NULL,
              "{\"text\":\"one\",\"finish\":\"length\",\"usage\":{\"input\":3,\"output\":1}}");

    /* What does not fit is refused. */
    JF_EXPECT(failures, &parrot, "{}",
              "{\"messages\":[{\"role\":\"user\",\"content\":\"one\"}],\"schema\":{\"type\":\"object\"}}", NULL,
              "invalid-input: a parrot follows no schema");
    JF_EXPECT(failures, &parrot, "{}", "{\"messages\":[]}", NULL, "invalid-input: there is no message to answer");
    JF_EXPECT(failures, &parrot, "{\"words\":0}", "{\"messages\":[]}", NULL,
              "invalid-config: `words`: 0 is less than 1");

    /* The model is asked; without one it fails. */
    jf_fake_host host = { .model = hum };
    JF_EXPECT(failures, &ask, "{}", "{\"text\":\"hello\"}", &host, "{\"answer\":\"hm, hello\"}");
    failures += host.asked != 1;
    JF_EXPECT(failures, &ask, "{}", "{\"text\":\"hello\"}", NULL,
              "invalid-config: the stage has no model: give it one with `model = \"name\"`");

    printf("%s\n", failures == 0 ? "ok" : "failed");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
