"""The messages of BuildKit's services (github.com/moby/buildkit: ``api/services/control``, ``frontend/gateway/pb``, ``session/*``,
``solver/pb``; github.com/tonistiigi/fsutil: ``types``). The names of messages and fields are ours where theirs say less; numbers count.
"""

from typing import Any

from argosy.buildkit.declare import declare

_MESSAGES = {
    "Empty": "",
    "Bytes": "1 bytes data",
    "Time": "1 int64 seconds\n2 int32 nanos",
    "Platform": "1 string architecture\n2 string os\n3 string variant",
    "Version": "1 string package\n2 string version\n3 string revision",
    # ------------------------------------------------------------ Control
    "Exporter": "1 string type\n2 map<string> attrs",
    "CacheEntry": "1 string type\n2 map<string> attrs",
    "CacheOptions": "4 repeated CacheEntry exports\n5 repeated CacheEntry imports",
    "SolveRequest": """
        1 string ref
        3 string exporter
        4 map<string> exporter_attrs
        5 string session
        6 string frontend
        7 map<string> frontend_attrs
        8 CacheOptions cache
        9 repeated string entitlements
        11 bool internal
        13 repeated Exporter exporters
    """,
    "SolveResponse": "1 map<string> exporter_response",
    "StatusRequest": "1 string ref",
    "Vertex": """
        1 string digest
        2 repeated string inputs
        3 string name
        4 bool cached
        5 Time started
        6 Time completed
        7 string error
    """,
    "VertexStatus": """
        1 string id
        2 string vertex
        3 string name
        4 int64 current
        5 int64 total
        6 Time timestamp
        7 Time started
        8 Time completed
    """,
    "VertexLog": "1 string vertex\n2 Time timestamp\n3 int64 stream\n4 bytes msg",
    "VertexWarning": "1 string vertex\n2 int64 level\n3 bytes short\n4 repeated bytes detail\n5 string url",
    "StatusResponse": """
        1 repeated Vertex vertices
        2 repeated VertexStatus statuses
        3 repeated VertexLog logs
        4 repeated VertexWarning warnings
    """,
    "ListWorkersRequest": "1 repeated string filter",
    "Worker": "1 string id\n2 map<string> labels\n3 repeated Platform platforms\n5 Version version",
    "ListWorkersResponse": "1 repeated Worker record",
    "InfoResponse": "1 Version version",
    "DiskUsageRequest": "1 repeated string filter",
    "UsageRecord": """
        1 string id
        2 bool mutable
        3 bool in_use
        4 int64 size
        6 Time created_at
        7 Time last_used_at
        8 int64 usage_count
        9 string description
        10 string record_type
        11 bool shared
        12 repeated string parents
    """,
    "DiskUsageResponse": "1 repeated UsageRecord record",
    "PruneRequest": """
        1 repeated string filter
        2 bool all
        3 int64 keep_duration
        4 int64 reserved_space
        5 int64 max_used_space
        6 int64 min_free_space
    """,
    "HistoryRequest": "1 bool active_only\n2 string ref\n3 bool early_exit",
    # ------------------------------------------------------------ LLBBridge
    "Capability": "1 string id\n2 bool enabled\n3 bool deprecated",
    "PongResponse": "1 repeated Capability frontend\n2 repeated Capability llb\n3 repeated Worker workers",
    "FrontendRequest": """
        1 bytes definition
        2 string frontend
        3 map<string> attrs
        5 bool allow_result_return
        6 bool allow_result_array
        13 repeated CacheEntry cache_imports
        14 bool evaluate
    """,
    "Ref": "1 string id",
    "Result": "3 Ref ref\n10 map<bytes> metadata",
    "FrontendResponse": "1 string ref\n3 Result result",
    "Status": "1 int32 code\n2 string message",
    "ReturnRequest": "1 Result result\n2 Status error",
    # ------------------------------------------------------------ a client's session
    "Stat": """
        1 string path
        2 uint32 mode
        3 uint32 uid
        4 uint32 gid
        5 int64 size
        6 int64 mtime
        7 string linkname
        8 int64 devmajor
        9 int64 devminor
        10 map<bytes> xattrs
    """,
    "Packet": "1 int32 type\n2 Stat stat\n3 uint32 id\n4 bytes data",
    "SecretRequest": "1 string id",
    "AgentRequest": "1 string id",
    "SecretResponse": "1 bytes data",
    "CredentialsRequest": "1 string host",
    "CredentialsResponse": "1 string username\n2 string secret",
    # ------------------------------------------------------------ grpc.health.v1
    "HealthRequest": "1 string service",
    "HealthResponse": "1 int32 status",
}
_made = declare("argosy.buildkit", _MESSAGES)


def __getattr__(name: str) -> Any:
    """Each message is a class of this module (PEP 562)."""
    try:
        return _made[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
