"""The API description as OpenAPI 3.1 for schemathesis, narrowed so that a fuzzer's requests meet: few names, nothing endless.

Narrowed values keep a host whole as well: no binds of its folders, no control group outside our own.
"""

import copy
from collections.abc import Mapping
from typing import Any

from contract.schemas import description, nullable

LEFT_OUT = {
    # They take the connection over, or answer when a container ends: covered by tests of their own.
    *(("POST", "/containers/{id}/attach"), ("GET", "/containers/{id}/attach/ws"), ("POST", "/containers/{id}/wait"), ("POST", "/session")),
    # Cluster volumes, and what answers 501.
    *(("PUT", "/volumes/{name}"), ("GET", "/images/search"), ("POST", "/auth"), ("GET", "/distribution/{name}/json")),
}
TAGS = ("Container", "Image", "System", "Exec", "Volume", "Network")
CONTAINERS, IMAGES = ["c1", "c2", "c3"], ["i1", "i2:x"]
ASKED = "Asked"
"""Before the names of definitions as requests use them: narrowed, where answers are as described."""
KEEPER = "keeper"
"""A running container that keeps the image busybox from being pruned; no request names it."""
_FALSE = {"type": "boolean", "enum": [False]}
_NAMES: Mapping[str, list[str]] = {
    "/containers": CONTAINERS,
    "/images": ["busybox", *IMAGES],
    "/volumes": ["v1", "v2"],
    "/networks": ["n1", "n2"],
}
_QUERY: Mapping[tuple[str, str], Any] = {
    ("/containers/create", "name"): {"type": "string", "pattern": "^c[1-9]{1,2}$"},
    ("/containers/create", "platform"): {"type": "string", "enum": ["", "linux/amd64", "linux/arm64", "x/y/z/w"]},
    ("/containers/{id}/rename", "name"): {"type": "string", "enum": CONTAINERS},
    ("/containers/{id}/stop", "t"): {"type": "integer", "enum": [0, 1, -1]},
    ("/containers/{id}/restart", "t"): {"type": "integer", "enum": [0]},
    ("/images/{name}/tag", "repo"): {"type": "string", "enum": ["i1", "i2", "UPPER"]},
    ("/commit", "container"): {"type": "string", "enum": CONTAINERS},
    ("/commit", "repo"): {"type": "string", "enum": ["i1", "i2"]},
    ("/images/create", "fromSrc"): {"type": "string", "enum": ["-"]},
    ("/images/create", "repo"): {"type": "string", "enum": ["i1", "i2"]},
    ("/build", "t"): {"type": "string", "enum": ["i1", "i2:x"]},
}
_ENDLESS = {"/containers/{id}/logs": ("follow",), "/containers/{id}/stats": ("stream",), "/events": ("until",)}
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "ContainerConfig": {
        "Image": {"type": "string", "enum": ["busybox", "i1", "nope"]},
        "Cmd": {"type": "array", "enum": [["sleep", "1000"], ["true"], ["nope"], []]},
        "Entrypoint": {"type": ["array", "null"], "enum": [None, [], ["sh", "-c"]]},
        "User": {"type": "string", "enum": ["", "root", "1000:1000"]},
        "WorkingDir": {"type": "string", "enum": ["", "/tmp", "/made", "relative"]},
        "Env": {"type": ["array", "null"], "items": {"type": "string", "pattern": "^([A-Z]{1,2}=[a-z ]{0,3}|[A-Z]?)$"}},
        "Healthcheck": {
            "type": ["object", "null"],
            "enum": [None, {}, {"Test": ["NONE"]}, {"Test": ["CMD", "true"], "Interval": 1000000}, {"Test": ["NOPE"]}],
        },
    },
    "HostConfig": {
        "Binds": {"type": "array", "items": {"type": "string", "pattern": "^(v[1-4]:/[a-z]{1,4}(:ro|:z)?|[a-z:]{1,5})$"}},
        "CgroupParent": {"type": "string", "enum": [""]},
        "PidMode": {"type": "string", "enum": ["", "container:c1", "nope"]},
        "NetworkMode": {"type": "string", "enum": ["", "none", "bridge", "n1", "container:c1", "nope"]},
        "RestartPolicy": {
            "type": ["object", "null"],
            "enum": [None, {"Name": "always"}, {"Name": "on-failure", "MaximumRetryCount": 2}, {"Name": "x"}],
        },
        "Runtime": {"type": "string", "enum": ["", "argosy", "nope"]},
    },
    # A failure to start is Docker's 500: what fails only there is not asked for.
    "Mount": {"Source": {"type": "string", "enum": ["v1", "v2", "", "relative/path"]}},
    "VolumeCreateRequest": {
        "Name": {"type": "string", "enum": ["v1", "v2", "v/3"]},
        "Driver": {"type": "string", "enum": ["local", "", "nope"]},
    },
    "NetworkConnectRequest": {"Container": {"type": "string", "enum": CONTAINERS}},
    "NetworkDisconnectRequest": {"Container": {"type": "string", "enum": CONTAINERS}},
}
_ALWAYS: Mapping[str, tuple[str, ...]] = {"ContainerConfig": ("Image", "Cmd"), "VolumeCreateRequest": ("Name",)}


def narrowed() -> dict[str, Any]:
    """Return the OpenAPI document."""
    answers = _moved(nullable(copy.deepcopy(dict(description()["definitions"]))), "")
    asked = _moved(nullable(copy.deepcopy(dict(description()["definitions"]))), ASKED)
    asked["VolumeCreateRequest"]["properties"].pop("ClusterVolumeSpec")
    for name, fields in _FIELDS.items():
        for part in (asked[name], *asked[name].get("allOf", ())):
            if "properties" in part:
                part["required"] = [field for field in _ALWAYS.get(name, ()) if field in part["properties"]] or part.get("required", [])
                part["properties"] |= {field: value for field, value in fields.items() if field in part["properties"]}
    paths: dict[str, Any] = {}
    for path, entry in description()["paths"].items():
        for method, operation in entry.items():
            if method != "head" and set(operation.get("tags", ())) & set(TAGS) and (method.upper(), path) not in LEFT_OUT:
                paths.setdefault(path, {})[method] = _operation(path, method, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Engine API", "version": description()["info"]["version"]},
        "paths": paths,
        "components": {"schemas": {**answers, **{ASKED + name: schema for name, schema in asked.items()}}},
    }


def _moved(schema: Any, prefix: str) -> Any:
    if isinstance(schema, list):
        return [_moved(item, prefix) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace("#/definitions/", f"#/components/schemas/{prefix}") if key == "$ref" else _moved(value, prefix)
        for key, value in schema.items()
        if key != "discriminator"
    }


def _operation(path: str, method: str, operation: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": operation["operationId"], "parameters": [], "responses": {}}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "body":
            made["requestBody"] = {"content": _bodies(path, parameter)}
        # A name to pull is looked for at a registry, and what becomes of that is no fault of the daemon's.
        elif parameter["in"] != "header" and parameter["name"] != "fromImage":
            made["parameters"].append(_parameter(path, method, parameter))
    for status, answer in operation["responses"].items():
        made["responses"][str(status)] = {"description": "", **_content(path, status, answer)}
    made["responses"].setdefault("400", {"description": "", **_error()})
    return made


def _bodies(path: str, parameter: Any) -> dict[str, Any]:
    if parameter["schema"].get("type") == "string":
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    schema = _moved(nullable(copy.deepcopy(parameter["schema"])), ASKED)
    if path == "/exec/{id}/start":
        schema["required"], schema["properties"]["Detach"] = ["Detach"], {"type": "boolean", "enum": [True]}
    if path == "/containers/{id}/exec":
        schema["properties"]["Cmd"] = {"type": "array", "enum": [["true"], ["sleep", "1"], ["nope"], []]}
    if path == "/networks/create":
        schema["properties"]["Name"] = {"type": "string", "enum": ["n1", "n2", "n3", "bridge"]}
        schema["required"] = ["Name"]
        schema["properties"]["Driver"] = {"type": "string", "enum": ["bridge", "macvlan", "nope", ""]}
    return {"application/json": {"schema": schema}}


def _parameter(path: str, method: str, parameter: Any) -> dict[str, Any]:
    name, known = parameter["name"], ("type", "items", "enum", "pattern", "minimum", "maximum")
    schema = _moved({key: value for key, value in parameter.items() if key in known}, ASKED)
    if parameter["in"] == "path":
        noun = next((names for prefix, names in _NAMES.items() if path.startswith(prefix + "/")), None)
        if noun is not None:
            schema = {"type": "string", "enum": [*(IMAGES if (method, path) == ("delete", "/images/{name}") else noun), "absent"]}
    elif name in _ENDLESS.get(path, ()):
        return {"name": name, "in": "query", "required": True, "schema": {"type": "string", "enum": ["1"]} if name == "until" else _FALSE}
    else:
        schema = _QUERY.get((path, name), schema)
    required = parameter["in"] == "path" or bool(parameter.get("required")) or (path, name) in _QUERY
    return {"name": name, "in": parameter["in"], "required": required, "schema": schema}


def _error() -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}}


def _content(path: str, status: Any, answer: Any) -> dict[str, Any]:
    if int(status) >= 400:
        return _error()
    schema = answer.get("schema")
    if not schema or schema.get("type") == "string" or path == "/events":
        return {}
    return {"content": {"application/json": {"schema": _moved(nullable(copy.deepcopy(schema)), "")}}}
