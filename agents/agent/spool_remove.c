#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agents/agent/spool.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { OLD_S = 3600 };

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

void spool_remove(const char *folder, const char *run)
{
    SCOPE(tmp);
    file_remove_tree(spool_run_path(tmp, folder, run));
}

void spool_sweep(const char *folder, const char *prefix)
{
    SCOPE(tmp);
    const char *runs = mem_printf(tmp, "%s/runs", folder);
    AUTO_DIR dir = opendir(runs);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        struct error ignored;
        int lock = -1;
        if (!text_starts(e->d_name, prefix) ||
            stat(mem_printf(tmp, "%s/%s", runs, e->d_name), &st) != 0 ||
            st.st_mtime > time(NULL) - OLD_S || !spool_lock(folder, e->d_name, &lock, &ignored) ||
            lock < 0)
            continue;
        spool_remove(folder, e->d_name);
        close(lock);
    }
}
