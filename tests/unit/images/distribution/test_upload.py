from argosy.images.distribution.upload import mountable


def test_blobs_are_mounted_from_other_repositories_of_the_same_registry() -> None:
    known = ("docker.io/library/nginx", "r:5000/a", "r:5000/b/c")
    assert mountable(known, "r:5000/a") == ["b/c"]
    assert mountable(known, "docker.io/me/x") == ["library/nginx"]
    assert mountable(known, "other/x") == []
