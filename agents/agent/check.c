/* The mode `check`: is this host ready? The doctor's findings, without any controller. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/agent/doctor.h"
#include "agents/agent/modes.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Prints the findings; the number of those that are errors. */
static int print_checks(const char *where, const json_t *checks)
{
    SCOPE(tmp);
    size_t i;
    json_t *line;
    int errors = 0;
    json_array_foreach(checks, i, line) {
        const char *level = json_text_of(line, "level");
        const char *what = json_text_of(line, "what");
        const char *fix = json_text_of(line, "fix");
        errors += text_eq(level, "error");
        printf("%-8s %s: %s%s%s\n", level, where, json_text_of(line, "check"), what ? ": " : "",
               what ? text_printable(tmp, what) : "");
        if (fix)
            printf("         fix: %s\n", text_printable(tmp, fix));
    }
    return errors;
}

int mode_check(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    const char *problems = NULL;
    struct agent_config *config = NULL;
    int errors = 0;
    if (!agent_config_load(tmp, start->config_path, &config, &problems, &err)) {
        if (problems)
            fputs(problems, stderr);
        else
            log_error("flotilla-agent check", &err);
        return EXIT_FAILURE;
    }
    json_t *host = json_own(tmp, json_array());
    bool root = geteuid() == 0;
    if (root)
        doctor_add(
            host, "account", "note", "checked as root, whom nothing stops",
            "check as the account that the agent runs as: sudo -u ACCOUNT flotilla-agent check");
    doctor_host(config, !root, host);
    errors += print_checks("host", host);
    for (size_t i = 0; i < config->database_count; i++) {
        if (config->databases[i].scratch)
            continue;
        json_t *checks = json_own(tmp, json_array());
        doctor_database(config, &config->databases[i], checks);
        errors += print_checks(config->databases[i].name, checks);
    }
    printf("%s: %zu databases, %d errors\n", start->config_path, config->database_count, errors);
    return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
