#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/grammar.h"
#include "controller/manifest/reading.h"

static void path_read(struct reading *r, const struct yaml_node *node, const char **out)
{
    const char *path = NULL;
    if (grammar_text(r->problems, node, GRAMMAR_PATH, &path))
        *out = file_path_from(r->fleet, r->fleet->folder, path);
}

static void word_read(struct reading *r, const struct yaml_node *node, enum grammar form,
                      const char **out)
{
    const char *word = NULL;
    if (grammar_text(r->problems, node, form, &word))
        *out = mem_text(r->fleet, word);
}

static void ssh_read(struct reading *r, const struct yaml_node *ssh, struct access *access)
{
    if (!yaml_is_map(r->problems, ssh))
        return;
    yaml_known(r->problems, ssh, KEYS("user", "port", "identity", "push_identity", "known_hosts"));
    word_read(r, yaml_key(ssh, "user"), GRAMMAR_USER, &access->user);
    path_read(r, yaml_key(ssh, "identity"), &access->identity);
    path_read(r, yaml_key(ssh, "push_identity"), &access->push_identity);
    path_read(r, yaml_key(ssh, "known_hosts"), &access->known_hosts);
    int64_t port = 0;
    if (yaml_int(r->problems, yaml_key(ssh, "port"), 1, 65535, &port))
        access->port = (int)port;
}

void access_read(struct reading *r, const struct yaml_node *section, struct access *access)
{
    int transport = 0;
    if (yaml_one_of(r->problems, yaml_key(section, "transport"), KEYS("ssh", "openssh", "local"),
                    &transport))
        access->transport = (enum transport)transport;
    word_read(r, yaml_key(section, "agent_command"), GRAMMAR_COMMAND, &access->agent_command);
    path_read(r, yaml_key(section, "agent_config"), &access->agent_config);
    ssh_read(r, yaml_key(section, "ssh"), access);
}
