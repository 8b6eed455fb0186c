/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <tpm>: the host's own chip, an emulated one, or one that somebody else runs behind a socket. */

#include "model/domain/misc.h"

DEFINE_ENUM(tpm_model, TPM_MODELS);
DEFINE_ENUM(tpm_backend, TPM_BACKENDS);
DEFINE_ENUM(tpm_version, TPM_VERSIONS);

#define THIS TpmPcrBanks
static const Field tpm_pcr_banks_fields[] = {
        FLAG("sha1", sha1),
        FLAG("sha256", sha256),
        FLAG("sha384", sha384),
        FLAG("sha512", sha512),
};
#undef THIS
static DEFINE_STRUCT(tpm_pcr_banks, TpmPcrBanks);

#define EMULATOR BIT(TPM_EMULATOR)
#define EXTERNAL BIT(TPM_EXTERNAL)

#define THIS DomainTpm
static const Field domain_tpm_fields[] = {
        ENUM("@model", model, tpm_model),
        ENUM("backend/@type", backend, tpm_backend, .flags = FIELD_REQUIRED),
        ENUM("backend/@version", version, tpm_version, WHEN(backend, EMULATOR)),
        YESNO("backend/@persistent_state", persistent_state, WHEN(backend, EMULATOR)),
        UUID("backend/encryption/@secret", encryption_secret, WHEN(backend, EMULATOR)),
        STRUCT("backend/active_pcr_banks", active_pcr_banks, tpm_pcr_banks, WHEN(backend, EMULATOR)),
        STRING("backend/device/@path", device, WHEN(backend, BIT(TPM_PASSTHROUGH)), .flags = FIELD_NO_ABI),
        STRING("backend/source/@type", source_type, WHEN(backend, EXTERNAL)),
        STRING("backend/source/@mode", source_mode, WHEN(backend, EXTERNAL)),
        STRING("backend/source/@path", source_path, WHEN(backend, EXTERNAL), .flags = FIELD_NO_ABI),
        INLINE("", info, device_info),
};
#undef THIS

static int check_tpm(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        DomainTpm *tpm = object;

        if (tpm->backend == TPM_EXTERNAL) {
                if (g_strcmp0(tpm->source_type, "unix") != 0)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "An external TPM needs a source of type 'unix'");
                if (!tpm->source_path)
                        return error_set(error, ERROR_INVALID_XML,
                                         "An external TPM needs the path of its socket");
                if (tpm->source_mode && !g_str_equal(tpm->source_mode, "connect"))
                        return error_set(error, ERROR_INVALID_XML,
                                         "The socket of an external TPM has the mode 'connect', not '%s'",
                                         tpm->source_mode);
                if (!tpm->source_mode)
                        tpm->source_mode = g_strdup("connect");
        }
        if (tpm->backend == TPM_PASSTHROUGH && !tpm->device)
                tpm->device = g_strdup("/dev/tpm0");
        return 0;
}
DEFINE_STRUCT(domain_tpm, DomainTpm, .check = check_tpm);
