/*
 * libssh2, loaded at the first session over SSH (agents/base/library.h). To call another function
 * of it, add its name to both lists; many of its names are macros around those here.
 */
#ifndef CONTROLLER_SESSION_SSH_LIBRARY_H
#define CONTROLLER_SESSION_SSH_LIBRARY_H

#include <libssh2.h>
#include <libssh2_sftp.h>

#include "agents/base/library.h"

/* clang-format off */
#define LIBSSH2_FUNCTIONS(X) \
    X(libssh2_agent_connect) X(libssh2_agent_disconnect) X(libssh2_agent_free) \
    X(libssh2_agent_get_identity) X(libssh2_agent_init) X(libssh2_agent_list_identities) \
    X(libssh2_agent_userauth) X(libssh2_channel_eof) X(libssh2_channel_get_exit_status) \
    X(libssh2_channel_open_ex) X(libssh2_channel_process_startup) \
    X(libssh2_channel_read_ex) X(libssh2_channel_wait_closed) X(libssh2_channel_write_ex) \
    X(libssh2_hostkey_hash) X(libssh2_init) X(libssh2_keepalive_config) \
    X(libssh2_keepalive_send) X(libssh2_knownhost_checkp) X(libssh2_knownhost_free) \
    X(libssh2_knownhost_init) X(libssh2_knownhost_readline) \
    X(libssh2_session_block_directions) X(libssh2_session_disconnect_ex) \
    X(libssh2_session_free) X(libssh2_session_handshake) X(libssh2_session_hostkey) \
    X(libssh2_session_init_ex) X(libssh2_session_last_errno) X(libssh2_session_last_error) \
    X(libssh2_session_method_pref) X(libssh2_session_set_blocking) \
    X(libssh2_session_set_timeout) X(libssh2_sftp_close_handle) X(libssh2_sftp_init) \
    X(libssh2_sftp_mkdir_ex) X(libssh2_sftp_open_ex) X(libssh2_sftp_stat_ex) \
    X(libssh2_sftp_symlink_ex) X(libssh2_sftp_write) \
    X(libssh2_userauth_publickey_fromfile_ex)

extern struct libssh2 {
    LIBSSH2_FUNCTIONS(LIBRARY_POINTER)
} libssh2;

#define libssh2_agent_connect                  libssh2.libssh2_agent_connect
#define libssh2_agent_disconnect               libssh2.libssh2_agent_disconnect
#define libssh2_agent_free                     libssh2.libssh2_agent_free
#define libssh2_agent_get_identity             libssh2.libssh2_agent_get_identity
#define libssh2_agent_init                     libssh2.libssh2_agent_init
#define libssh2_agent_list_identities          libssh2.libssh2_agent_list_identities
#define libssh2_agent_userauth                 libssh2.libssh2_agent_userauth
#define libssh2_channel_eof                    libssh2.libssh2_channel_eof
#define libssh2_channel_get_exit_status        libssh2.libssh2_channel_get_exit_status
#define libssh2_channel_open_ex                libssh2.libssh2_channel_open_ex
#define libssh2_channel_process_startup        libssh2.libssh2_channel_process_startup
#define libssh2_channel_read_ex                libssh2.libssh2_channel_read_ex
#define libssh2_channel_wait_closed            libssh2.libssh2_channel_wait_closed
#define libssh2_channel_write_ex               libssh2.libssh2_channel_write_ex
#define libssh2_hostkey_hash                   libssh2.libssh2_hostkey_hash
#define libssh2_init                           libssh2.libssh2_init
#define libssh2_keepalive_config               libssh2.libssh2_keepalive_config
#define libssh2_keepalive_send                 libssh2.libssh2_keepalive_send
#define libssh2_knownhost_checkp               libssh2.libssh2_knownhost_checkp
#define libssh2_knownhost_free                 libssh2.libssh2_knownhost_free
#define libssh2_knownhost_init                 libssh2.libssh2_knownhost_init
#define libssh2_knownhost_readline             libssh2.libssh2_knownhost_readline
#define libssh2_session_block_directions       libssh2.libssh2_session_block_directions
#define libssh2_session_disconnect_ex          libssh2.libssh2_session_disconnect_ex
#define libssh2_session_free                   libssh2.libssh2_session_free
#define libssh2_session_handshake              libssh2.libssh2_session_handshake
#define libssh2_session_hostkey                libssh2.libssh2_session_hostkey
#define libssh2_session_init_ex                libssh2.libssh2_session_init_ex
#define libssh2_session_last_errno             libssh2.libssh2_session_last_errno
#define libssh2_session_last_error             libssh2.libssh2_session_last_error
#define libssh2_session_method_pref            libssh2.libssh2_session_method_pref
#define libssh2_session_set_blocking           libssh2.libssh2_session_set_blocking
#define libssh2_session_set_timeout            libssh2.libssh2_session_set_timeout
#define libssh2_sftp_close_handle              libssh2.libssh2_sftp_close_handle
#define libssh2_sftp_init                      libssh2.libssh2_sftp_init
#define libssh2_sftp_mkdir_ex                  libssh2.libssh2_sftp_mkdir_ex
#define libssh2_sftp_open_ex                   libssh2.libssh2_sftp_open_ex
#define libssh2_sftp_stat_ex                   libssh2.libssh2_sftp_stat_ex
#define libssh2_sftp_symlink_ex                libssh2.libssh2_sftp_symlink_ex
#define libssh2_sftp_write                     libssh2.libssh2_sftp_write
#define libssh2_userauth_publickey_fromfile_ex libssh2.libssh2_userauth_publickey_fromfile_ex
/* clang-format on */

/* Before anything of libssh2 is called: loaded and prepared, or false when it is not there. */
bool ssh_library(struct error *err) MUSTCHECK;

#endif
