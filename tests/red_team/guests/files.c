/* Files, folders and the environment. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#include "hostile.h"

extern char **environ;

/* Tries to read a file. */
static void reads(tries *all, const char *path) {
    char first[64] = "";
    int file = open(path, O_RDONLY);
    bool worked = file >= 0 && read(file, first, sizeof first - 1) >= 0;
    tried(all, worked, "read %s%s%s", path, worked ? " " : "", first);
    if (file >= 0) close(file);
}

/* The folders that the host opened, without what libc makes of their names: any path, straight to the host. */
static void reads_below_each(tries *all, const char *path) {
    for (int folder = 3; folder < 10; folder++) {
        __wasi_fd_t file;
        __wasi_errno_t wrong = __wasi_path_open(folder, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0, __WASI_RIGHTS_FD_READ,
                                                0, 0, &file);
        if (wrong == __WASI_ERRNO_BADF) return;
        errno = wrong;
        tried(all, wrong == 0, "open %s below folder %d", path, folder);
    }
}

static void dot_dot(answer *to) {
    tries all = { 0 };
    reads(&all, "/data/../secret.txt");
    reads(&all, "/data/inner/../../secret.txt");
    reads(&all, "/data/inner/../../../../../../../../etc/passwd");
    reads_below_each(&all, "../secret.txt");
    reads_below_each(&all, "inner/../../secret.txt");
    reads_below_each(&all, "./.././secret.txt");
    told(to, &all);
}

static void absolute(answer *to) {
    tries all = { 0 };
    reads(&all, target);
    reads(&all, "/etc/passwd");
    reads(&all, "/proc/self/environ");
    reads_below_each(&all, target);
    reads_below_each(&all, "/etc/passwd");
    reads_below_each(&all, "/");
    told(to, &all);
}

/* The owner of the folder put links there that lead out of it. */
static void links_of_the_owner(answer *to) {
    tries all = { 0 };
    reads(&all, "/data/link");
    reads(&all, "/data/link-to-folder/secret.txt");
    reads(&all, "/data/link-to-link");
    reads_below_each(&all, "link-to-folder/secret.txt");
    told(to, &all);
}

static void own_link(answer *to) {
    tries all = { 0 };
    tried(&all, symlink("/etc/passwd", "/work/absolute") == 0, "link to /etc/passwd");
    if (symlink("../../../../../../etc/passwd", "/work/up") == 0) reads(&all, "/work/up");
    if (symlink("..", "/work/parent") == 0) reads(&all, "/work/parent/secret.txt");
    if (symlink("parent/..", "/work/chain") == 0) reads(&all, "/work/chain/etc/passwd");
    /* A link that a rename moves up, so that it leads elsewhere. */
    mkdir("/work/a", 0755);
    mkdir("/work/a/b", 0755);
    if (symlink("../../..", "/work/a/b/moved") == 0 && rename("/work/a/b/moved", "/work/moved") == 0) {
        reads(&all, "/work/moved/etc/passwd");
    }
    told(to, &all);
}

static void write_read_only(answer *to) {
    tries all = { 0 };
    struct timespec times[2] = { { 0 }, { 0 } };
    tried(&all, open("/data/new.txt", O_CREAT | O_WRONLY, 0644) >= 0, "create");
    tried(&all, open("/data/note.txt", O_WRONLY) >= 0, "open to write");
    tried(&all, open("/data/note.txt", O_RDWR | O_TRUNC) >= 0, "truncate");
    tried(&all, unlink("/data/note.txt") == 0, "unlink");
    tried(&all, rename("/data/note.txt", "/data/other.txt") == 0, "rename");
    tried(&all, mkdir("/data/folder", 0755) == 0, "mkdir");
    tried(&all, symlink("note.txt", "/data/symbolic") == 0, "symlink");
    tried(&all, link("/data/note.txt", "/data/hard") == 0, "link");
    tried(&all, utimensat(AT_FDCWD, "/data/note.txt", times, 0) == 0, "set times");
    /* By way of a folder that may be written to: a hard link would be a second name for the same file. */
    tried(&all, link("/data/note.txt", "/work/hard") == 0, "link into the scratch folder");
    tried(&all, rename("/data/note.txt", "/work/moved") == 0, "move into the scratch folder");
    tried(&all, rename("/work/mine", "/data/mine") == 0, "move out of the scratch folder");
    told(to, &all);
}

static void not_granted(answer *to) {
    tries all = { 0 };
    reads(&all, "/data/note.txt");
    reads(&all, "/work/note.txt");
    reads(&all, "note.txt");
    reads(&all, ".");
    tried(&all, open("/work/new.txt", O_CREAT | O_WRONLY, 0644) >= 0, "write");
    reads_below_each(&all, "note.txt");
    DIR *root = opendir("/");
    tried(&all, root != NULL, "list /");
    told(to, &all);
}

/* Tells what of the environment there is. */
static void environment(answer *to) {
    char said[2048] = "";
    for (char **one = environ; one && *one; one++) {
        strncat(said, *one, sizeof said - strlen(said) - 3);
        strcat(said, "; ");
    }
    for (const char *const *name = (const char *const[]){ "HOME", "PATH", "USER", "JACKFIELD_RED_SECRET", NULL }; *name; name++) {
        const char *value = getenv(*name);
        if (value) strncat(said, value, sizeof said - strlen(said) - 1);
    }
    size_t arguments = 0, bytes = 0;
    (void)__wasi_args_sizes_get(&arguments, &bytes);
    char folder[256];
    got(to, "%s%zu arguments, in %s", said, arguments, getcwd(folder, sizeof folder) ? folder : "no folder");
}

/* Fills the scratch folder with one large file, of as many MiB as the target says. */
static void fill(answer *to) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    tries all = { 0 };
    int file = open("/work/large", O_CREAT | O_WRONLY, 0644);
    size_t written = 0, most = (*target ? (size_t)atoi(target) : 2048) << 20;
    for (; written < most; written += sizeof block) {
        if (write(file, block, sizeof block) != (ssize_t)sizeof block) break;
    }
    tried(&all, file >= 0, "write %zu MiB", written >> 20);
    told(to, &all);
}

/* Fills it with many small ones, in folders within folders. */
static void litter(answer *to) {
    tries all = { 0 };
    long made = 0;
    for (int folder = 0; folder < 2000; folder++) {
        char path[64];
        snprintf(path, sizeof path, "/work/%d", folder);
        if (mkdir(path, 0755) != 0) break;
        for (int n = 0; n < 500; n++, made++) {
            snprintf(path, sizeof path, "/work/%d/%d", folder, n);
            int file = open(path, O_CREAT | O_WRONLY, 0644);
            if (file < 0) break;
            close(file);
        }
    }
    tried(&all, true, "make %ld files", made);
    told(to, &all);
}

/* Fills it with files that have no name: they are open. */
static void unlinked(answer *to) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    tries all = { 0 };
    int made = 0;
    for (; made < 512; made++) {
        int file = open("/work/unlinked", O_CREAT | O_EXCL | O_WRONLY, 0644);
        if (file < 0 || unlink("/work/unlinked") != 0) break;
        if (write(file, block, sizeof block) != (ssize_t)sizeof block) break;
    }
    tried(&all, made > 0, "write %d MiB into files without a name", made);
    told(to, &all);
}

/* Fills it with names of one file. */
static void names(answer *to) {
    tries all = { 0 };
    close(open("/work/0", O_CREAT | O_WRONLY, 0644));
    int made = 0;
    for (; made < 50000; made++) {
        char path[64];
        snprintf(path, sizeof path, "/work/name-%d", made);
        if (link("/work/0", path) != 0) break;
    }
    tried(&all, true, "make %d names", made);
    told(to, &all);
}

/* No harm: writes much, of which little is there at a time. */
static void rewrite(answer *to) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    int written = 0;
    for (; written < 48; written++) {
        int file = open("/work/new", O_CREAT | O_TRUNC | O_WRONLY, 0644);
        bool whole = write(file, block, sizeof block) == (ssize_t)sizeof block;
        close(file);
        if (!whole) break;
        /* In place of the last one, gone, or cut and written again. */
        if (written % 3 == 0 && rename("/work/new", "/work/old") != 0) break;
        if (written % 3 == 1 && unlink("/work/new") != 0) break;
        mkdir("/work/folder", 0755);
        rmdir("/work/folder");
    }
    got(to, "wrote %d MiB", written);
}

/* A file that says it is as long as can be, without a byte written. */
static void sparse(answer *to) {
    tries all = { 0 };
    int file = open("/work/sparse", O_CREAT | O_RDWR, 0644);
    tried(&all, ftruncate(file, (off_t)1 << 40) == 0, "a file of 1 TiB");
    told(to, &all);
}

/* Leaves something for the next call, and looks for what the last one left. */
static void scratch_peek(answer *to) {
    char left[64] = "nothing";
    int file = open("/work/left", O_RDONLY);
    if (file >= 0) left[read(file, left, sizeof left - 1)] = 0;
    file = open("/work/left", O_CREAT | O_WRONLY, 0644);
    (void)write(file, text, strlen(text));
    if (strcmp(text, "bad") == 0) __builtin_trap();
    got(to, "found %s", left);
}

static void scratch_peek_all(answers *all) {
    for (size_t n = 0; n < all->len; n++) scratch_peek(&all->ptr[n]);
}

/* Leaves something, and does not come to an end. */
static void endless(answer *to) {
    close(open("/work/left", O_CREAT | O_WRONLY, 0644));
    for (volatile long n = 0; n >= 0; n++) {}
    got(to, "the end");
}

const attack files[] = {
    { .name = "read-dot-dot", .asks = "read:data", .run = dot_dot },
    { .name = "read-absolute", .asks = "read:data", .run = absolute },
    { .name = "read-owners-link", .asks = "read:data", .run = links_of_the_owner },
    { .name = "scratch-own-link", .asks = "scratch:work", .run = own_link },
    { .name = "write-read-only", .asks = "read:data scratch:work", .run = write_read_only },
    { .name = "read-ungranted", .asks = "read:data scratch:work", .run = not_granted },
    { .name = "env-probe", .asks = "env:JACKFIELD_RED_GRANTED", .run = environment },
    { .name = "scratch-fill", .asks = "scratch:work", .run = fill },
    { .name = "scratch-litter", .asks = "scratch:work", .run = litter },
    { .name = "scratch-unlinked", .asks = "scratch:work", .run = unlinked },
    { .name = "scratch-names", .asks = "scratch:work", .run = names },
    { .name = "scratch-rewrite", .asks = "scratch:work", .run = rewrite },
    { .name = "scratch-sparse", .asks = "scratch:work", .run = sparse },
    { .name = "scratch-endless", .asks = "scratch:work", .run = endless },
    { .name = "scratch-peek", .asks = "scratch:work", .batch = scratch_peek_all },
    { 0 },
};
