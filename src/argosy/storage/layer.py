"""A committed layer, as its record beside the tree says."""

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Layer:
    chain_id: str
    diff_id: str
    parent: str | None
    size: int
    """Bytes of the files that it brought."""
    tar_size: int
    recipe: bool
    """The uncompressed tar can be made again from the tree."""

    def record(self) -> dict[str, Any]:
        return {
            "chain_id": self.chain_id,
            "diff_id": self.diff_id,
            "parent": self.parent,
            "size": self.size,
            "tar_size": self.tar_size,
            "recipe": self.recipe,
        }


def chain_id(parent: str | None, diff_id: str) -> str:
    """Return the chain ID of a layer on ``parent`` (OCI image specification, config.md "Layer ChainID")."""
    if parent is None:
        return diff_id
    return "sha256:" + hashlib.sha256(f"{parent} {diff_id}".encode()).hexdigest()


def chain_ids(diff_ids: "tuple[str, ...] | list[str]") -> list[str]:
    """Return the chain ID of each layer of a stack, lowest first."""
    chains: list[str] = []
    for diff_id in diff_ids:
        chains.append(chain_id(chains[-1] if chains else None, diff_id))
    return chains


def hex_of(chain: str) -> str:
    return chain.partition(":")[2]
