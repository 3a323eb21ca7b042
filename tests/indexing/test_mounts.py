"""The mount table: what lies where, and which types of file systems tell of changes."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.indexing.mounts import Mount, is_pseudo, is_remote, parse, read_mounts

TABLE = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:50 / /home/ada/server rw,relatime shared:3 master:1 - nfs4 box:/export rw,vers=4.2
41 27 0:51 /sub /home/ada/with\040blank rw - fuse.sshfs me@box: rw
42 40 254:0 /x /home/ada/server/local rw - ext4 /dev/vda rw
43 27 0:52 / /home/ada/twice rw - ext4 /dev/vdb rw
44 43 0:53 / /home/ada/twice rw - tmpfs tmpfs rw
a line of some other form
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/ada/project", "ext4"),
        ("/home/ada/server", "nfs4"),
        ("/home/ada/server/deep/below", "nfs4"),
        ("/home/ada/server2", "ext4"),
        ("/home/ada/server/local/x", "ext4"),
        ("/home/ada/with blank/x", "fuse.sshfs"),
        ("/home/ada/twice/x", "tmpfs"),
        ("/proc/self", "proc"),
    ],
)
def test_the_nearest_mount_above_holds_a_path_and_the_last_one_at_a_place_counts(path: str, kind: str) -> None:
    mount = parse(TABLE).holding(path)
    assert mount is not None
    assert mount.kind == kind


def test_what_is_mounted_below_a_path_is_found_and_the_path_itself_is_not_below() -> None:
    mounts = parse(TABLE)
    assert [mount.place for mount in mounts.within("/home/ada/server")] == ["/home/ada/server/local"]
    assert {mount.number for mount in mounts.affecting("/home/ada/server")} == {40, 42}
    assert {mount.number for mount in mounts.affecting("/home/ada/server/x")} == {40}
    assert len(mounts.within("/")) == 5


def test_another_mount_at_the_same_place_is_told_apart() -> None:
    remounted = TABLE.replace("40 27", "99 27")
    assert parse(TABLE).affecting("/home/ada/server/x") != parse(remounted).affecting("/home/ada/server/x")
    assert parse(TABLE).affecting("/home/ada/project") == parse(remounted).affecting("/home/ada/project")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "vboxsf", "virtiofs", "autofs"])
def test_what_changes_behind_the_kernel_is_remote(kind: str) -> None:
    assert is_remote(kind)
    assert not is_pseudo(kind)


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "fuseblk", "vfat", "exfat"])
def test_local_disks_are_watched(kind: str) -> None:
    assert not is_remote(kind)
    assert not is_pseudo(kind)


def escaped(place: str) -> str:
    """As the kernel writes it (fs/proc_namespace.c, mangle)."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\" else letter for letter in place)


names = st.text(st.sampled_from("ab \t\\-é"), min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})
places = st.lists(names, max_size=3).map(lambda parts: "/" + "/".join(parts))
mounts = st.lists(st.builds(Mount, st.integers(1, 999), places, st.sampled_from(["ext4", "nfs4", "tmpfs"])))


@given(mounts, st.lists(st.sampled_from(["shared:1", "master:2", "-:x"]), max_size=2), places)
def test_what_the_kernel_writes_is_read_back(table: list[Mount], optional: list[str], path: str) -> None:
    lines = [
        " ".join([str(number), "1", "0:1", "/", escaped(place), "rw", *optional, "-", kind, "source", "rw"])
        for number, place, kind in table
    ]
    found = parse("\n".join(lines)).holding(path)
    above = [mount for mount in table if path == mount.place or path.startswith(mount.place.rstrip("/") + "/")]
    longest = max((len(mount.place) for mount in above), default=0)
    assert found == next((mount for mount in reversed(above) if len(mount.place) == longest), None)


@given(st.text())
def test_any_text_is_a_table(text: str) -> None:
    parse(text).holding("/a/b")


def test_this_machine_has_a_root_and_a_procfs() -> None:
    table = read_mounts()
    holding = table.holding(os.path.realpath("/proc/self"))
    assert holding is not None
    assert is_pseudo(holding.kind)
    assert table.holding("/") is not None
