/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes on at a machine, and its memory for a debugger. */

#include "driver.h"

/* virDomainJobOperation. */
enum { JOB_OPERATION_SAVE = 2, JOB_OPERATION_SNAPSHOT = 6 };
/* The memory of a machine that runs has been moved: told as libvirt tells it, once it is done. */
void control_job_completed(Domain *domain, int operation, const Job *job);

int test_domain_abort_job(Call *call, Domain *domain, Error *error);
int test_domain_get_control_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                 Error *error);
int test_domain_get_job_info(Call *call, Domain *domain, GVariant **ret_info, Error *error);
int test_domain_get_job_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats,
                              Error *error);
int test_domain_get_security_label_list(Call *call, Domain *domain, GVariant **ret_labels, Error *error);
int test_domain_memory_peek(Call *call, Domain *domain, uint64_t offset, uint64_t size, uint32_t flags,
                            GVariant **ret_buffer, Error *error);
int test_domain_pm_wakeup(Call *call, Domain *domain, uint32_t flags, Error *error);
