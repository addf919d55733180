"""From an OCI runtime specification to a plan: what spawn and init will do, as plain JSON. Pure, and light to import."""

from argosy.runtime.compile.exec import compile_exec, exec_part
from argosy.runtime.compile.host import HostFacts, probe_host
from argosy.runtime.compile.plan import PlanError
from argosy.runtime.compile.start import compile_start, plan_tree

__all__ = ["HostFacts", "PlanError", "compile_exec", "compile_start", "exec_part", "plan_tree", "probe_host"]
