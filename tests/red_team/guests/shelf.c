/* A cache backend that keeps each value in a file of its scratch folder. It means no harm: it is built beside what does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin.h"

/* The bindings ask for an object that holds the type of the component; the linker takes it from the WIT instead. */
void __component_type_object_force_link_plugin(void) {}

#define FOLDER "/values/"
/* A page of a list holds no more bytes than this. */
#define MOST_BYTES (8 << 20)

typedef jackfield_plugin_types_failure_t failure;
static bool is_durable;

static plugin_string_t owned(const char *text) {
    plugin_string_t copy;
    plugin_string_dup(&copy, text);
    return copy;
}

static failure away(const char *what) {
    char said[256];
    snprintf(said, sizeof said, "%s: %s", what, strerror(errno));
    failure to = { .tag = JACKFIELD_PLUGIN_TYPES_FAILURE_UNAVAILABLE };
    to.val.unavailable = owned(said);
    return to;
}

void exports_jackfield_plugin_meta_describe(exports_jackfield_plugin_meta_list_descriptor_t *ret) {
    jackfield_plugin_types_descriptor_t *offer = calloc(1, sizeof *offer);
    offer->kind = owned("cache-backend");
    offer->name = owned("shelf-c");
    offer->version = owned("1.0.0");
    offer->summary = owned("Keeps each value in a file of a scratch folder");
    offer->config_schema = owned("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"durable\":{"
                                 "\"type\":\"boolean\",\"default\":false,\"description\":\"Whether the folder outlives the process.\"}}}");
    offer->input_schema = owned("{}");
    offer->output_schema = owned("{}");
    offer->permissions.len = 2;
    offer->permissions.ptr = calloc(2, sizeof *offer->permissions.ptr);
    offer->permissions.ptr[0] = (jackfield_plugin_types_permission_t){ owned("scratch:values"), owned("to keep values in") };
    offer->permissions.ptr[1] = (jackfield_plugin_types_permission_t){ owned("clock"), owned("to know when a value has expired") };
    *ret = (exports_jackfield_plugin_meta_list_descriptor_t){ offer, 1 };
}

bool exports_jackfield_plugin_extension_open(plugin_string_t *kind, plugin_string_t *name, plugin_string_t *config,
                                             exports_jackfield_plugin_extension_failure_t *err) {
    (void)kind;
    (void)name;
    static const char *known[] = { "{}", "{\"durable\":false}", "{\"durable\":true}" };
    for (size_t n = 0; n < 3; n++) {
        if (strlen(known[n]) == config->len && memcmp(known[n], config->ptr, config->len) == 0) {
            is_durable = n == 2;
            return true;
        }
    }
    err->tag = JACKFIELD_PLUGIN_TYPES_FAILURE_INVALID_CONFIG;
    err->val.invalid_config = owned("there is one option, `durable`, which is true or false");
    return false;
}

void exports_jackfield_plugin_extension_call(exports_jackfield_plugin_extension_list_request_t *batch,
                                             exports_jackfield_plugin_extension_list_result_document_failure_t *ret) {
    ret->len = batch->len;
    ret->ptr = calloc(batch->len + 1, sizeof *ret->ptr);
    for (size_t n = 0; n < batch->len; n++) {
        ret->ptr[n].is_err = true;
        ret->ptr[n].val.err.tag = JACKFIELD_PLUGIN_TYPES_FAILURE_INVALID_INPUT;
        ret->ptr[n].val.err.val.invalid_input = owned("a cache backend is not called with documents");
    }
}

/* What the name of a file says of its key: equal keys have equal names, and others seldom have. */
static void name_of(const uint8_t *key, size_t length, char name[64]) {
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t n = 0; n < length; n++) hash = (hash ^ key[n]) * 0x100000001b3;
    snprintf(name, 64, FOLDER "%016llx", (unsigned long long)hash);
}

/* In milliseconds since 1970. */
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* A file: this, the key, the value. */
typedef struct head {
    uint64_t expires;
    uint64_t key, value;
} head;

typedef struct entry {
    plugin_string_t key;
    plugin_list_u8_t value;
    plugin_option_u64_t ttl_ms;
} entry;

static bool whole(int file, void *to, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t got = read(file, (char *)to + done, length - done);
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

/* Reads a file; false if there is none, or one that has expired or is not whole. */
static bool read_file(const char *path, entry *to) {
    int file = open(path, O_RDONLY);
    if (file < 0) return false;
    head head;
    bool is_whole = whole(file, &head, sizeof head) && head.key < (64 << 20) && head.value < (65 << 20);
    uint64_t time = now();
    is_whole = is_whole && head.expires > time;
    if (is_whole) {
        /* An allocation of no bytes may have no address. */
        to->key = (plugin_string_t){ malloc(head.key + 1), head.key };
        to->value = (plugin_list_u8_t){ malloc(head.value + 1), head.value };
        to->ttl_ms.is_some = head.expires != UINT64_MAX;
        to->ttl_ms.val = head.expires - time;
        is_whole = to->key.ptr && to->value.ptr && whole(file, to->key.ptr, head.key) && whole(file, to->value.ptr, head.value);
    }
    close(file);
    return is_whole;
}

static bool begins(const plugin_string_t *key, const uint8_t *prefix, size_t length) {
    return key->len >= length && memcmp(key->ptr, prefix, length) == 0;
}

static int compared(const plugin_string_t *one, const plugin_string_t *other) {
    size_t common = one->len < other->len ? one->len : other->len;
    int order = memcmp(one->ptr, other->ptr, common);
    return order ? order : (one->len > other->len) - (one->len < other->len);
}

static int by_key(const void *one, const void *other) {
    return compared(&((const entry *)one)->key, &((const entry *)other)->key);
}

/* Looks at every entry whose key begins so. */
static bool each(const uint8_t *prefix, size_t length, void (*look)(const char *path, entry *, void *), void *with) {
    DIR *folder = opendir(FOLDER);
    if (!folder) return false;
    for (struct dirent *found; (found = readdir(folder));) {
        char path[300];
        entry entry;
        snprintf(path, sizeof path, FOLDER "%s", found->d_name);
        if (found->d_name[0] == '.' || found->d_name[0] == 't' || !read_file(path, &entry)) continue;
        if (begins(&entry.key, prefix, length)) {
            look(path, &entry, with);
        } else {
            free(entry.key.ptr);
            free(entry.value.ptr);
        }
    }
    closedir(folder);
    return true;
}

/* The exports of `cache-backend`, as the canonical ABI has them: what is larger than a word is answered in memory. */
#define EXPORT(NAME) __attribute__((export_name("jackfield:plugin/cache-backend@0.1.0#" NAME)))

typedef struct nothing_or {
    bool is_err;
    failure err;
} nothing_or;

EXPORT("get") void *shelf_get(uint8_t *key, size_t length) {
    static struct {
        bool is_err;
        union {
            plugin_option_list_u8_t ok;
            failure err;
        } val;
    } answer;
    char path[64];
    entry entry;
    name_of(key, length, path);
    bool is_there = read_file(path, &entry) && entry.key.len == length && memcmp(entry.key.ptr, key, length) == 0;
    answer.val.ok.is_some = is_there;
    if (is_there) answer.val.ok.val = entry.value;
    return &answer;
}

EXPORT("put")
void *shelf_put(uint8_t *key, size_t length, uint8_t *value, size_t size, int32_t has_ttl, uint64_t ttl_ms) {
    static nothing_or answer;
    char path[64], unfinished[64];
    name_of(key, length, path);
    uint64_t time = now();
    head head = { has_ttl && ttl_ms < UINT64_MAX - time ? time + ttl_ms : UINT64_MAX, length, size };
    int file = -1;
    /* Others may write at the same time, to files of theirs. */
    for (unsigned n = 0; file < 0; n++) {
        snprintf(unfinished, sizeof unfinished, FOLDER "t%u", n);
        file = open(unfinished, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (file < 0 && errno != EEXIST) {
            answer = (nothing_or){ true, away("no file can be made") };
            return &answer;
        }
    }
    struct {
        const void *bytes;
        size_t length;
    } parts[] = { { &head, sizeof head }, { key, length }, { value, size } };
    for (size_t n = 0; n < 3; n++) {
        for (size_t done = 0; done < parts[n].length;) {
            ssize_t put = write(file, (const char *)parts[n].bytes + done, parts[n].length - done);
            if (put <= 0) {
                answer = (nothing_or){ true, away("the file cannot be written") };
                unlink(unfinished);
                return &answer;
            }
            done += (size_t)put;
        }
    }
    close(file);
    if (rename(unfinished, path) != 0) answer = (nothing_or){ true, away("the file cannot be put in place") };
    return &answer;
}

EXPORT("remove") void *shelf_remove(uint8_t *key, size_t length) {
    static nothing_or answer;
    char path[64];
    name_of(key, length, path);
    if (unlink(path) != 0 && errno != ENOENT) answer = (nothing_or){ true, away("the file cannot be removed") };
    return &answer;
}

static void clear(const char *path, entry *entry, void *count) {
    free(entry->key.ptr);
    free(entry->value.ptr);
    *(uint64_t *)count += unlink(path) == 0;
}

EXPORT("clear") void *shelf_clear(uint8_t *prefix, size_t length) {
    static struct {
        bool is_err;
        union {
            uint64_t ok;
            failure err;
        } val;
    } answer;
    answer.val.ok = 0;
    if (!each(prefix, length, clear, &answer.val.ok)) {
        answer.is_err = true;
        answer.val.err = away("the folder cannot be read");
    }
    return &answer;
}

static void measure(const char *path, entry *entry, void *sizes) {
    (void)path;
    ((uint64_t *)sizes)[0]++;
    ((uint64_t *)sizes)[1] += entry->key.len + entry->value.len;
    free(entry->key.ptr);
    free(entry->value.ptr);
}

EXPORT("size") void *shelf_size(uint8_t *prefix, size_t length) {
    static struct {
        bool is_err;
        union {
            uint64_t ok[2];
            failure err;
        } val;
    } answer;
    if (!each(prefix, length, measure, answer.val.ok)) {
        answer.is_err = true;
        answer.val.err = away("the folder cannot be read");
    }
    return &answer;
}

typedef struct page {
    plugin_string_t after;
    bool has_after;
    size_t count, room;
    entry *entries;
} page;

static void collect(const char *path, entry *found, void *to) {
    (void)path;
    page *page = to;
    if (page->has_after && compared(&found->key, &page->after) <= 0) return;
    if (page->count == page->room) {
        page->room = page->room ? 2 * page->room : 64;
        page->entries = realloc(page->entries, page->room * sizeof *page->entries);
    }
    /* The values are read again once it is known which are wanted. */
    free(found->value.ptr);
    found->value.ptr = NULL;
    page->entries[page->count++] = *found;
}

EXPORT("entries")
void *shelf_entries(uint8_t *prefix, size_t length, int32_t has_after, uint8_t *after, size_t after_length, uint32_t limit) {
    static struct {
        bool is_err;
        union {
            struct {
                entry *ptr;
                size_t len;
            } ok;
            failure err;
        } val;
    } answer;
    page page = { { after, after_length }, has_after, 0, 0, NULL };
    if (!each(prefix, length, collect, &page)) {
        answer.is_err = true;
        answer.val.err = away("the folder cannot be read");
        return &answer;
    }
    qsort(page.entries, page.count, sizeof *page.entries, by_key);
    size_t bytes = 0, kept = 0;
    for (size_t n = 0; n < page.count && kept < limit && (!kept || bytes < MOST_BYTES); n++) {
        char path[64];
        entry entry;
        name_of(page.entries[n].key.ptr, page.entries[n].key.len, path);
        if (!read_file(path, &entry)) continue;
        bytes += entry.key.len + entry.value.len;
        page.entries[kept++] = entry;
    }
    answer.val.ok.ptr = page.entries ? page.entries : malloc(1);
    answer.val.ok.len = kept;
    return &answer;
}

EXPORT("is-durable") int32_t shelf_is_durable(void) { return is_durable; }
