"""Container names: Docker's grammar, and a random ``adjective_surname`` when none is given."""

import random
import re
from collections.abc import Callable

from argosy.base.errors import InvalidParameterError

_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")

ADJECTIVES = ["able", "amber", "ample", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid", "careful", "cheerful", "clear", "clever", "coastal", "cosy", "curious", "daring", "deft", "eager", "early", "earnest", "easy", "fair", "fearless", "fine", "fleet", "fluent", "fond", "free", "fresh", "gallant", "gentle", "glad", "golden", "graceful", "grand", "hardy", "hearty", "helpful", "honest", "humble", "jolly", "keen", "kind", "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mighty", "mindful", "modest", "neat", "nimble", "noble", "open", "patient", "placid", "plucky", "polite", "prudent", "quick", "quiet", "radiant", "ready", "robust", "sane", "serene", "sharp", "silent", "silver", "sincere", "skilful", "smooth", "snug", "sober", "solid", "spry", "stable", "steady", "sterling", "stout", "sturdy", "subtle", "sunny", "swift", "tidy", "tranquil", "trim", "trusty", "upbeat", "upright", "valiant", "vivid", "warm", "watchful", "wise", "witty", "worthy", "zealous"]

SURNAMES = ["allen", "amundsen", "anning", "babbage", "backus", "banks", "barents", "bering", "bernoulli", "blackwell", "blum", "bohr", "boole", "borg", "bose", "bougainville", "cabot", "cartier", "cassini", "cerf", "chandra", "chen", "clarke", "codd", "conway", "cook", "curie", "darwin", "davis", "dijkstra", "dirac", "drake", "earhart", "easley", "eckert", "ellis", "engelbart", "erdos", "euclid", "euler", "faraday", "fermi", "feynman", "floyd", "franklin", "frobisher", "galois", "gama", "gauss", "germain", "goodall", "haddock", "hamilton", "hedin", "hoare", "hopper", "hubble", "hudson", "humboldt", "hypatia", "jansz", "johnson", "joliot", "kahn", "kalman", "karp", "kepler", "keller", "kernighan", "kirch", "knuth", "kovalevskaya", "lamarr", "lamport", "laperouse", "leavitt", "liskov", "lovelace", "magellan", "maury", "mcclintock", "meitner", "mendel", "minsky", "mirzakhani", "nansen", "napier", "nightingale", "noether", "ohm", "pascal", "pauling", "perlman", "peary", "poincare", "postel", "ramanujan", "ritchie", "ross", "rubin", "sammet", "scott", "shackleton", "shannon", "sinoussi", "stroustrup", "tasman", "tesla", "thompson", "torvalds", "turing", "vancouver", "verne", "wallace", "wiles", "wilkes", "wing", "wirth", "yalow", "zheng", "zuse"]


def check_name(name: str) -> str:
    """Return the name without its leading slash. Raises InvalidParameterError in Docker's words."""
    if _NAME.match(name) is None:
        raise InvalidParameterError(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return name.removeprefix("/")


def random_name(taken: Callable[[str], bool], rng: random.Random) -> str:
    """Return a name that is not taken; a digit is added when ten draws were not enough."""
    for attempt in range(100):
        name = f"{rng.choice(ADJECTIVES)}_{rng.choice(SURNAMES)}"
        if attempt >= 10:
            name += str(rng.randrange(10**3))
        if not taken(name):
            return name
    raise InvalidParameterError("could not generate a free container name")
