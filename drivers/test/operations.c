/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What this driver does, by the names of the introspection files. */

#include "drivers/cpu/baseline.h"
#include "drivers/host/devices.h"
#include "drivers/host/interfaces.h"
#include "drivers/network/networks.h"
#include "drivers/nwfilter/filters.h"
#include "drivers/secret/secrets.h"
#include "drivers/snapshots/reads.h"
#include "drivers/storage/pools.h"
#include "drivers/storage/volumes.h"
#include "drivers/test/addresses.h"
#include "drivers/test/block-jobs.h"
#include "drivers/test/blocks.h"
#include "drivers/test/change.h"
#include "drivers/test/control.h"
#include "drivers/test/define.h"
#include "drivers/test/devices.h"
#include "drivers/test/domain-capabilities.h"
#include "drivers/test/guest.h"
#include "drivers/test/host.h"
#include "drivers/test/images.h"
#include "drivers/test/lifecycle.h"
#include "drivers/test/migration.h"
#include "drivers/test/pins.h"
#include "drivers/test/save.h"
#include "drivers/test/shares.h"
#include "drivers/test/snapshots.h"
#include "drivers/test/stats.h"
#include "drivers/test/test.h"

const DriverOperations test_operations = {
        .connect = {
                .baseline_cpu = cpus_baseline_cpu,
                .compare_cpu = test_connect_compare_cpu,
                .domain_restore = test_connect_domain_restore,
                .domain_save_image_define_xml = test_connect_domain_save_image_define_xml,
                .domain_save_image_get_xml_desc = test_connect_domain_save_image_get_xml_desc,
                .find_storage_pool_sources = pools_find_sources,
                .get_capabilities = test_connect_get_capabilities,
                .get_cpu_model_names = test_connect_get_cpu_model_names,
                .get_domain_capabilities = test_connect_get_domain_capabilities,
                .get_sysinfo = test_connect_get_sysinfo,
                .interface_change_begin = interfaces_change_begin,
                .interface_change_commit = interfaces_change_commit,
                .interface_change_rollback = interfaces_change_rollback,
                .interface_define_xml = interfaces_define_xml,
                .node_device_create_xml = devices_create_xml,
                .node_device_lookup_scsi_host_by_wwn = devices_lookup_by_wwn,
                .node_get_cpu_map = test_connect_node_get_cpu_map,
                .node_get_cpu_stats = test_connect_node_get_cpu_stats,
                .node_get_free_memory = test_connect_node_get_free_memory,
                .node_get_memory_parameters = test_connect_node_get_memory_parameters,
                .node_get_memory_stats = test_connect_node_get_memory_stats,
                .node_get_security_model = test_connect_node_get_security_model,
                .node_set_memory_parameters = test_connect_node_set_memory_parameters,
        },
        .domain = {
                .abort_job = test_domain_abort_job,
                .add_iothread = test_domain_add_iothread,
                .attach_device = test_domain_attach_device,
                .block_commit = test_domain_block_commit,
                .block_copy = test_domain_block_copy,
                .block_job_abort = test_domain_block_job_abort,
                .block_job_set_speed = test_domain_block_job_set_speed,
                .block_peek = test_domain_block_peek,
                .block_pull = test_domain_block_pull,
                .block_rebase = test_domain_block_rebase,
                .block_resize = test_domain_block_resize,
                .create = test_domain_create,
                .create_with_files = test_domain_create_with_files,
                .del_iothread = test_domain_del_iothread,
                .destroy = test_domain_destroy,
                .detach_device = test_domain_detach_device,
                .fs_freeze = test_domain_fs_freeze,
                .fs_thaw = test_domain_fs_thaw,
                .fs_trim = test_domain_fs_trim,
                .get_block_io_parameters = test_domain_get_block_io_parameters,
                .get_block_io_tune = test_domain_get_block_io_tune,
                .get_block_job_info = test_domain_get_block_job_info,
                .get_control_info = test_domain_get_control_info,
                .get_disk_errors = test_domain_get_disk_errors,
                .get_emulator_pin_info = test_domain_get_emulator_pin_info,
                .get_fs_info = test_domain_get_fs_info,
                .get_guest_vcpus = test_domain_get_guest_vcpus,
                .get_hostname = test_domain_get_hostname,
                .get_interface_parameters = test_domain_get_interface_parameters,
                .get_iothread_info = test_domain_get_iothread_info,
                .get_job_info = test_domain_get_job_info,
                .get_job_stats = test_domain_get_job_stats,
                .get_memory_parameters = test_domain_get_memory_parameters,
                .get_numa_parameters = test_domain_get_numa_parameters,
                .get_perf_events = test_domain_get_perf_events,
                .get_scheduler_parameters = test_domain_get_scheduler_parameters,
                .get_security_label_list = test_domain_get_security_label_list,
                .get_stats = test_domain_get_stats,
                .get_time = test_domain_get_time,
                .get_vcpu_pin_info = test_domain_get_vcpu_pin_info,
                .get_vcpus = test_domain_get_vcpus,
                .has_managed_save_image = test_domain_has_managed_save_image,
                .inject_nmi = test_domain_inject_nmi,
                .interface_addresses = test_domain_interface_addresses,
                .list_domain_snapshots = snapshots_list_domain_snapshots,
                .managed_save = test_domain_managed_save,
                .managed_save_remove = test_domain_managed_save_remove,
                .memory_peek = test_domain_memory_peek,
                .memory_stats = test_domain_memory_stats,
                .migrate_get_compression_cache = test_domain_migrate_get_compression_cache,
                .migrate_get_max_speed = test_domain_migrate_get_max_speed,
                .migrate_set_compression_cache = test_domain_migrate_set_compression_cache,
                .migrate_set_max_speed = test_domain_migrate_set_max_speed,
                .pin_emulator = test_domain_pin_emulator,
                .pin_iothread = test_domain_pin_iothread,
                .pin_vcpu = test_domain_pin_vcpu,
                .pm_wakeup = test_domain_pm_wakeup,
                .reboot = test_domain_reboot,
                .rename = test_domain_rename,
                .reset = test_domain_reset,
                .resume = test_domain_resume,
                .save = test_domain_save,
                .send_key = test_domain_send_key,
                .set_autostart = test_domain_set_autostart,
                .set_block_io_parameters = test_domain_set_block_io_parameters,
                .set_block_io_tune = test_domain_set_block_io_tune,
                .set_guest_vcpus = test_domain_set_guest_vcpus,
                .set_interface_parameters = test_domain_set_interface_parameters,
                .set_link = test_domain_set_link,
                .set_memory = test_domain_set_memory,
                .set_memory_parameters = test_domain_set_memory_parameters,
                .set_memory_stats_period = test_domain_set_memory_stats_period,
                .set_metadata = test_domain_set_metadata,
                .set_numa_parameters = test_domain_set_numa_parameters,
                .set_perf_events = test_domain_set_perf_events,
                .set_scheduler_parameters = test_domain_set_scheduler_parameters,
                .set_time = test_domain_set_time,
                .set_user_password = test_domain_set_user_password,
                .set_vcpus = test_domain_set_vcpus,
                .shutdown = test_domain_shutdown,
                .snapshot_create_xml = test_domain_snapshot_create_xml,
                .snapshot_current = snapshots_snapshot_current,
                .snapshot_lookup_by_name = snapshots_snapshot_lookup_by_name,
                .suspend = test_domain_suspend,
                .undefine = test_domain_undefine,
                .update_device = test_domain_update_device,
        },
        .interface = {
                .create = interfaces_create,
                .destroy = interfaces_destroy,
                .get_xml_desc = interfaces_get_xml_desc,
                .undefine = interfaces_undefine,
        },
        .network = {
                .create = networks_create,
                .destroy = networks_destroy,
                .get_dhcp_leases = networks_get_dhcp_leases,
                .get_xml_desc = networks_get_xml_desc,
                .set_autostart = networks_set_autostart,
                .undefine = networks_undefine,
                .update = networks_update,
        },
        .node_device = {
                .describe = devices_describe,
                .destroy = devices_destroy,
                .detach = devices_detach,
                .get_xml_desc = devices_get_xml_desc,
                .list_caps = devices_list_caps,
                .re_attach = devices_re_attach,
                .reset = devices_reset,
        },
        .nwfilter = {
                .get_xml_desc = filters_get_xml_desc,
                .undefine = filters_undefine,
        },
        .secret = {
                .get_value = secrets_get_value,
                .get_xml_desc = secrets_get_xml_desc,
                .set_value = secrets_set_value,
                .undefine = secrets_undefine,
        },
        .snapshot = {
                .delete = test_snapshot_delete,
                .get_parent = snapshots_get_parent,
                .get_xml_desc = snapshots_get_xml_desc,
                .is_current = snapshots_is_current,
                .list_children = snapshots_list_children,
                .revert = test_snapshot_revert,
        },
        .storage_pool = {
                .build = pools_build,
                .create = pools_create,
                .delete = pools_delete,
                .destroy = pools_destroy,
                .get_info = pools_get_info,
                .get_xml_desc = pools_get_xml_desc,
                .refresh = pools_refresh,
                .set_autostart = pools_set_autostart,
                .storage_vol_create_xml = volumes_create,
                .undefine = pools_undefine,
        },
        .storage_volume = {
                .delete = volumes_delete,
                .get_info = volumes_get_info,
                .get_xml_desc = volumes_get_xml_desc,
                .resize = volumes_resize,
                .wipe = volumes_wipe,
        },
};
