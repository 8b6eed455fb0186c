/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What this driver does, by the names of the introspection files. */

#include "drivers/cpu/baseline.h"
#include "drivers/host/devices.h"
#include "drivers/host/interfaces.h"
#include "drivers/host/tables.h"
#include "drivers/network/networks.h"
#include "drivers/nwfilter/filters.h"
#include "drivers/qemu/addresses.h"
#include "drivers/qemu/attach.h"
#include "drivers/qemu/block-access.h"
#include "drivers/qemu/block-copy.h"
#include "drivers/qemu/block-end.h"
#include "drivers/qemu/block-merge.h"
#include "drivers/qemu/console.h"
#include "drivers/qemu/control.h"
#include "drivers/qemu/cpus.h"
#include "drivers/qemu/define.h"
#include "drivers/qemu/detach.h"
#include "drivers/qemu/disk-limits.h"
#include "drivers/qemu/domain-capabilities.h"
#include "drivers/qemu/dump.h"
#include "drivers/qemu/file-groups.h"
#include "drivers/qemu/guest.h"
#include "drivers/qemu/host.h"
#include "drivers/qemu/interface-limits.h"
#include "drivers/qemu/iothreads.h"
#include "drivers/qemu/keys.h"
#include "drivers/qemu/link.h"
#include "drivers/qemu/memory-job.h"
#include "drivers/qemu/migration.h"
#include "drivers/qemu/native.h"
#include "drivers/qemu/pause.h"
#include "drivers/qemu/perf.h"
#include "drivers/qemu/pins.h"
#include "drivers/qemu/qemu.h"
#include "drivers/qemu/restore.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/shares.h"
#include "drivers/qemu/snapshot-delete.h"
#include "drivers/qemu/snapshot-revert.h"
#include "drivers/qemu/snapshot-take.h"
#include "drivers/qemu/start.h"
#include "drivers/qemu/stats.h"
#include "drivers/qemu/stop.h"
#include "drivers/qemu/tune.h"
#include "drivers/qemu/undefine.h"
#include "drivers/qemu/update.h"
#include "drivers/qemu/vcpus.h"
#include "drivers/secret/secrets.h"
#include "drivers/snapshots/reads.h"
#include "drivers/storage/pools.h"
#include "drivers/storage/transfer.h"
#include "drivers/storage/volumes.h"

const DriverOperations qemu_operations = {
        .connect = {
                .baseline_cpu = cpus_baseline_cpu,
                .baseline_hypervisor_cpu = qemu_connect_baseline_hypervisor_cpu,
                .compare_cpu = qemu_connect_compare_cpu,
                .compare_hypervisor_cpu = qemu_connect_compare_hypervisor_cpu,
                .domain_restore = qemu_connect_domain_restore,
                .domain_save_image_define_xml = qemu_connect_domain_save_image_define_xml,
                .domain_save_image_get_xml_desc = qemu_connect_domain_save_image_get_xml_desc,
                .domain_xml_to_native = qemu_connect_domain_xml_to_native,
                .find_storage_pool_sources = pools_find_sources,
                .get_capabilities = qemu_connect_get_capabilities,
                .get_domain_capabilities = qemu_connect_get_domain_capabilities,
                .get_cpu_model_names = qemu_connect_get_cpu_model_names,
                .get_sysinfo = host_get_sysinfo,
                .interface_change_begin = interfaces_change_begin,
                .interface_change_commit = interfaces_change_commit,
                .interface_change_rollback = interfaces_change_rollback,
                .interface_define_xml = interfaces_define_xml,
                .node_device_create_xml = devices_create_xml,
                .node_device_lookup_scsi_host_by_wwn = devices_lookup_by_wwn,
                .node_get_cpu_map = qemu_connect_node_get_cpu_map,
                .node_get_cpu_stats = qemu_connect_node_get_cpu_stats,
                .node_get_free_memory = qemu_connect_node_get_free_memory,
                .node_get_memory_parameters = host_get_memory_parameters,
                .node_get_memory_stats = qemu_connect_node_get_memory_stats,
                .node_get_security_model = qemu_connect_node_get_security_model,
                .node_set_memory_parameters = host_set_memory_parameters,
        },
        .domain = {
                .abort_job = qemu_domain_abort_job,
                .add_iothread = qemu_domain_add_iothread,
                .attach_device = qemu_domain_attach_device,
                .block_commit = qemu_domain_block_commit,
                .block_copy = qemu_domain_block_copy,
                .block_job_abort = qemu_domain_block_job_abort,
                .block_job_set_speed = qemu_domain_block_job_set_speed,
                .block_peek = qemu_domain_block_peek,
                .block_pull = qemu_domain_block_pull,
                .block_rebase = qemu_domain_block_rebase,
                .block_resize = qemu_domain_block_resize,
                .core_dump = qemu_domain_core_dump,
                .create = qemu_domain_create,
                .create_with_files = qemu_domain_create_with_files,
                .del_iothread = qemu_domain_del_iothread,
                .destroy = qemu_domain_destroy,
                .detach_device = qemu_domain_detach_device,
                .fs_freeze = qemu_domain_fs_freeze,
                .fs_thaw = qemu_domain_fs_thaw,
                .fs_trim = qemu_domain_fs_trim,
                .get_block_io_parameters = qemu_domain_get_block_io_parameters,
                .get_block_io_tune = qemu_domain_get_block_io_tune,
                .get_control_info = qemu_domain_get_control_info,
                .get_emulator_pin_info = qemu_domain_get_emulator_pin_info,
                .get_fs_info = qemu_domain_get_fs_info,
                .get_guest_vcpus = qemu_domain_get_guest_vcpus,
                .get_hostname = qemu_domain_get_hostname,
                .get_iothread_info = qemu_domain_get_iothread_info,
                .get_block_job_info = qemu_domain_get_block_job_info,
                .get_disk_errors = qemu_domain_get_disk_errors,
                .get_job_info = qemu_domain_get_job_info,
                .get_job_stats = qemu_domain_get_job_stats,
                .get_interface_parameters = qemu_domain_get_interface_parameters,
                .get_memory_parameters = qemu_domain_get_memory_parameters,
                .get_numa_parameters = qemu_domain_get_numa_parameters,
                .get_perf_events = qemu_domain_get_perf_events,
                .get_scheduler_parameters = qemu_domain_get_scheduler_parameters,
                .get_security_label_list = qemu_domain_get_security_label_list,
                .get_stats = qemu_domain_get_stats,
                .get_time = qemu_domain_get_time,
                .get_vcpu_pin_info = qemu_domain_get_vcpu_pin_info,
                .get_vcpus = qemu_domain_get_vcpus,
                .has_managed_save_image = qemu_domain_has_managed_save_image,
                .inject_nmi = qemu_domain_inject_nmi,
                .interface_addresses = qemu_domain_interface_addresses,
                .list_domain_snapshots = snapshots_list_domain_snapshots,
                .managed_save = qemu_domain_managed_save,
                .managed_save_remove = qemu_domain_managed_save_remove,
                .memory_peek = qemu_domain_memory_peek,
                .memory_stats = qemu_domain_memory_stats,
                .migrate_get_compression_cache = qemu_domain_migrate_get_compression_cache,
                .migrate_get_max_speed = qemu_domain_migrate_get_max_speed,
                .migrate_set_compression_cache = qemu_domain_migrate_set_compression_cache,
                .migrate_set_max_downtime = qemu_domain_migrate_set_max_downtime,
                .migrate_set_max_speed = qemu_domain_migrate_set_max_speed,
                .open_console = qemu_domain_open_console,
                .open_graphics_fd = qemu_domain_open_graphics_fd,
                .pin_emulator = qemu_domain_pin_emulator,
                .pin_iothread = qemu_domain_pin_iothread,
                .pin_vcpu = qemu_domain_pin_vcpu,
                .pm_wakeup = qemu_domain_pm_wakeup,
                .reboot = qemu_domain_reboot,
                .rename = qemu_domain_rename,
                .reset = qemu_domain_reset,
                .resume = qemu_domain_resume,
                .save = qemu_domain_save,
                .send_key = qemu_domain_send_key,
                .set_autostart = qemu_domain_set_autostart,
                .set_block_io_parameters = qemu_domain_set_block_io_parameters,
                .set_block_io_tune = qemu_domain_set_block_io_tune,
                .set_guest_vcpus = qemu_domain_set_guest_vcpus,
                .set_block_threshold = qemu_domain_set_block_threshold,
                .set_link = qemu_domain_set_link,
                .associate_files = qemu_domain_associate_files,
                .set_memory = qemu_domain_set_memory,
                .set_interface_parameters = qemu_domain_set_interface_parameters,
                .set_memory_parameters = qemu_domain_set_memory_parameters,
                .set_memory_stats_period = qemu_domain_set_memory_stats_period,
                .set_metadata = qemu_domain_set_metadata,
                .set_numa_parameters = qemu_domain_set_numa_parameters,
                .set_perf_events = qemu_domain_set_perf_events,
                .set_scheduler_parameters = qemu_domain_set_scheduler_parameters,
                .set_time = qemu_domain_set_time,
                .set_user_password = qemu_domain_set_user_password,
                .set_vcpus = qemu_domain_set_vcpus,
                .shutdown = qemu_domain_shutdown,
                .snapshot_create_xml = qemu_domain_snapshot_create_xml,
                .snapshot_current = snapshots_snapshot_current,
                .snapshot_lookup_by_name = snapshots_snapshot_lookup_by_name,
                .suspend = qemu_domain_suspend,
                .undefine = qemu_domain_undefine,
                .update_device = qemu_domain_update_device,
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
                .delete = qemu_snapshot_delete,
                .get_parent = snapshots_get_parent,
                .get_xml_desc = snapshots_get_xml_desc,
                .is_current = snapshots_is_current,
                .list_children = snapshots_list_children,
                .revert = qemu_snapshot_revert,
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
                .open_read = transfer_open_read,
                .open_write = transfer_open_write,
                .resize = volumes_resize,
                .wipe = volumes_wipe,
        },
};
