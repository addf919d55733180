"""How the Engine API spells our field names: ``cpuset_cpus`` is ``CpusetCpus``, ``uts_mode`` is ``UTSMode``."""

_IRREGULAR = {
    "blkio_device_read_iops": "BlkioDeviceReadIOps",
    "blkio_device_write_iops": "BlkioDeviceWriteIOps",
    "container_id_file": "ContainerIDFile",
    "device_ids": "DeviceIDs",
    "dns_names": "DNSNames",
    "enable_ipv4": "EnableIPv4",
    "enable_ipv6": "EnableIPv6",
    "endpoint_id": "EndpointID",
    "gw_priority": "GwPriority",
    "io_maximum_bandwidth": "IOMaximumBandwidth",
    "io_maximum_iops": "IOMaximumIOps",
    "ip_range": "IPRange",
    "ipam": "IPAM",
    "ipam_config": "IPAMConfig",
    "ipv4_address": "IPv4Address",
    "ipv6_address": "IPv6Address",
    "kernel_memory_tcp": "KernelMemoryTCP",
    "link_local_ips": "LinkLocalIPs",
    "uts_mode": "UTSMode",
}


def wire_name(field: str) -> str:
    """Return the Engine API's JSON key of a field."""
    return _IRREGULAR.get(field) or "".join(part[:1].upper() + part[1:] for part in field.split("_"))
