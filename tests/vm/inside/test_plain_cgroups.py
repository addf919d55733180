"""Debian's kernel with cgroup v2 alone; argosyd makes the cgroups by itself."""

from vm.inside.cgroup_suite import CgroupSuite


class TestCgroupfs(CgroupSuite):
    driver = "cgroupfs"
