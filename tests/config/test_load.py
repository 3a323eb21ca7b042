"""What wins over what, where values come from, and what is refused with which words."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path

import pytest

from agentd.config.check import warnings
from agentd.config.flags import Flags, parse_flags
from agentd.config.load import Loaded, load
from agentd.config.render import render
from agentd.config.schema import FIELDS
from agentd.errors import ConfigError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own, so that nobody's configuration gets in."""
    return {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def write(folder: Path, text: str | bytes) -> Flags:
    path = folder / "agentd.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Flags(config=str(path))


def refusal(flags: Flags, environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    return caught.value.message


def test_nothing_at_all_gives_the_defaults(environ: dict[str, str], tmp_path: Path) -> None:
    loaded = load(Flags(), environ)
    assert loaded.settings.socket == tmp_path / "run" / "agentd" / "agentd.sock"
    assert loaded.settings.state_directory == tmp_path / "home" / ".local" / "state" / "agentd"
    assert loaded.settings.config_file is None
    assert {loaded.origins[key] for key in FIELDS} == {"default"}
    assert loaded.origins["socket"] == "environment XDG_RUNTIME_DIR"
    assert loaded.origins["state_directory"] == "default"


def test_flags_go_before_environment_before_file(environ: dict[str, str], tmp_path: Path) -> None:
    flags = write(tmp_path, '[log]\nlevel = "error"\nformat = "json"\n[search]\nrrf_k = 5\ncandidates = 50\n')
    environ |= {"AGENTD_LOG_LEVEL": "warning", "AGENTD_SEARCH_RRF_K": "7"}
    loaded = load(Flags(config=flags.config, log_level="debug"), environ)
    settings, origins = loaded.settings, loaded.origins
    assert (settings.log.level, origins["log.level"]) == ("debug", "flag --log-level")
    assert (settings.search.rrf_k, origins["search.rrf_k"]) == (7, "environment AGENTD_SEARCH_RRF_K")
    assert (settings.log.format, origins["log.format"]) == ("json", f"file {flags.config}:3")
    assert (settings.search.candidates, origins["search.candidates"]) == (50, f"file {flags.config}:6")


def test_places_come_from_flags_before_variables(environ: dict[str, str], tmp_path: Path) -> None:
    environ |= {"AGENTD_SOCKET": str(tmp_path / "a.sock"), "AGENTD_STATE_DIR": str(tmp_path / "state")}
    loaded = load(Flags(socket=str(tmp_path / "b.sock")), environ)
    assert (loaded.settings.socket, loaded.origins["socket"]) == (tmp_path / "b.sock", "flag --socket")
    assert loaded.settings.state_directory == tmp_path / "state"
    assert loaded.origins["state_directory"] == "environment AGENTD_STATE_DIR"


def test_every_scalar_has_a_variable(environ: dict[str, str]) -> None:
    environ |= {
        "AGENTD_EMBEDDING_ENABLED": "false",
        "AGENTD_INDEX_RESCAN_SECONDS": "0.5",
        "AGENTD_COMPUTE_NICE": "3",
        "AGENTD_LOG_FORMAT": "console",
        "AGENTD_SERVER_BACKLOG": "",
    }
    settings = load(Flags(), environ).settings
    assert settings.embedding.enabled is False
    assert settings.index.rescan_seconds == 0.5
    assert settings.compute.nice == 3
    assert settings.log.format == "console"
    assert settings.server.backlog == 1024


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AGENTD_INDEX_RESCAN", "60", "unknown environment variable AGENTD_INDEX_RESCAN; did you mean"),
        ("AGENTD_SOKET", "/x", "did you mean AGENTD_SOCKET?"),
        ("AGENTD_EMBEDDING_ENABLED", "maybe", "expected true or false for embedding.enabled, found 'maybe'"),
        ("AGENTD_COMPUTE_NICE", "20", "expected a whole number from 0 to 19 for compute.nice, found '20'"),
        ("AGENTD_INDEX_EXCLUDE", "*.js", "set it in the configuration file"),
        ("AGENTD_SERVER_DRAIN_SECONDS", "nan", "expected a number above 0 to 86400"),
        ("AGENTD_CONFIG", "/nonexistent/agentd.toml", "AGENTD_CONFIG names /nonexistent/agentd.toml"),
        ("AGENTD_SOCKET", "a\0b", "NUL"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused(
    environ: dict[str, str], variable: str, value: str, words: str
) -> None:
    assert words in refusal(Flags(), environ | {variable: value})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("indx.rescan_seconds = 1", ":1: unknown table or key indx; did you mean index?"),
        ("\n[index]\nrescan = 1", ":3: unknown key index.rescan; did you mean rescan_seconds?"),
        ("[index]\nrrf_k = 1", ":2: unknown key index.rrf_k; did you mean search.rrf_k?"),
        ('[index]\nrescan_seconds = "x"', ":2: expected a number above 0 to 86400 for index.rescan_seconds, found 'x'"),
        ("[index]\nrescan_seconds = nan", "found nan"),
        ("[index]\nrescan_seconds = inf", "found inf"),
        ("[index]\nmax_file_bytes = true", "expected a whole number from 1024 to 268435456"),
        ("[index]\nmax_file_bytes = 2000.0", "found 2000.0"),
        ("[server]\nbacklog = 0", "expected a whole number from 1 up for server.backlog, found 0"),
        ('[log]\nlevel = "loud"', 'expected one of "debug", "error", "info", "warning" for log.level'),
        ('[index]\nexclude = "x"', "expected a list of strings for index.exclude"),
        ('[index]\nexclude = ["x", 1]', "expected a list of strings for index.exclude"),
        ("server = 3", ":1: expected the table [server], found 3"),
        ('socket = "/x"', "with --socket or AGENTD_SOCKET"),
        ('[root]\npath = "a"', "expected [[root]]"),
        ('[[root]]\npath = "a"\n[[root]]\npth = "b"', ":4: unknown key root.pth"),
        ("[[root]]\npath = 3", ":2: expected a string for root.path, found 3"),
        ("[[root]]", "found nothing"),
        ("root = [3]", "found 3"),
        ("[log]\nlevel = \n", "is not TOML: Invalid value (at line 2, column 9)"),
        ("[log]\n[log]", "is not TOML: Cannot declare"),
        (b"[log]\n# \xff", ":2: expected UTF-8, found the byte 0xff"),
        ("#" * 1_048_577, "at most 1048576 bytes"),
        ("[search]\ndefault_limit = 50\nmax_limit = 20", ":2: expected search.default_limit up to search.max_limit"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_file_and_line(
    environ: dict[str, str], tmp_path: Path, text: str | bytes, words: str
) -> None:
    message = refusal(write(tmp_path, text), environ)
    assert str(tmp_path / "agentd.toml") in message
    assert words in message


def test_a_file_that_is_named_must_be_there(environ: dict[str, str], tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert refusal(Flags(config=str(missing)), environ) == f"--config names {missing}, but there is no such file"
    assert "Is a directory" in refusal(Flags(config=str(tmp_path)), environ)
    assert "at most 1048576 bytes" in refusal(Flags(config="/dev/zero"), environ)


def test_a_file_that_may_not_be_read_is_refused(environ: dict[str, str]) -> None:
    """In a child that is not root, because root may read everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        flags = write(Path(folder), "")
        (Path(folder) / "agentd.toml").chmod(0)
        reader, writer = os.pipe()
        if not (child := os.fork()):
            try:
                if os.geteuid() == 0:
                    os.seteuid(65534)
                os.write(writer, refusal(flags, environ).encode())
            finally:
                os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == f"cannot read the configuration file {flags.config}: Permission denied".encode()


def test_a_file_at_the_usual_place_is_found(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".config" / "agentd"
    folder.mkdir(parents=True)
    (folder / "agentd.toml").write_bytes(b"\xef\xbb\xbf[search]\r\nrrf_k = 3\r\n")
    loaded = load(Flags(), environ)
    assert loaded.settings.search.rrf_k == 3
    assert loaded.settings.config_file == folder / "agentd.toml"


def test_roots_are_absolute_and_named_once(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = ["~/code", "docs", "./docs/", str(tmp_path / "flagged"), "link"]
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    flags = write(tmp_path, "".join(f'[[root]]\npath = "{root}"\n' for root in roots))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    flagged = ("../flagged", str(tmp_path / "flagged"), ".")
    loaded = load(Flags(config=flags.config, roots=flagged), environ)
    assert loaded.settings.flag_roots == (tmp_path / "flagged", tmp_path / "here")
    assert loaded.settings.roots == (tmp_path / "home" / "code", tmp_path / "docs", tmp_path / "real")
    assert loaded.origins[f"root {tmp_path / 'flagged'}"] == "flag --root"
    assert loaded.origins[f"root {tmp_path / 'docs'}"] == f"file {flags.config}:3"


def test_a_loop_of_links_is_no_error_here(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert load(Flags(roots=(str(tmp_path / "loop"),)), environ).settings.flag_roots == (tmp_path / "loop",)


def test_a_model_in_a_file_is_relative_to_the_file(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = write(tmp_path, '[embedding]\nmodel = "models/other"\n')
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert load(flags, environ).settings.embedding.model == str(tmp_path / "models" / "other")
    environ["AGENTD_EMBEDDING_MODEL"] = "mine"
    assert load(flags, environ).settings.embedding.model == str(tmp_path / "here" / "mine")


def everything(environ: dict[str, str], tmp_path: Path) -> Loaded:
    flags = write(
        tmp_path, '[index]\nexclude = ["*.min.js", "q\\"uote", "\\u007f"]\nrescan_seconds = 60\n[[root]]\npath = "."\n'
    )
    return load(Flags(config=flags.config, roots=(str(tmp_path / "missing"),)), environ)


def test_what_is_rendered_is_a_file_that_gives_the_same_settings(environ: dict[str, str], tmp_path: Path) -> None:
    first = everything(environ, tmp_path)
    copy = tmp_path / "copy.toml"
    copy.write_text(render(first))
    second = load(Flags(config=str(copy)), environ).settings
    for section in ("server", "log", "index", "compute", "embedding", "search", "maintenance"):
        assert getattr(first.settings, section) == getattr(second, section)
    assert second.roots == first.settings.flag_roots + first.settings.roots


def test_each_rendered_value_has_its_origin(environ: dict[str, str], tmp_path: Path) -> None:
    text = render(everything(environ, tmp_path))
    assert "rescan_seconds = 60.0" in text
    line = next(line for line in text.splitlines() if line.startswith("rescan_seconds"))
    assert line.endswith(f"# file {tmp_path / 'agentd.toml'}:3")
    values = [line for line in text.splitlines() if " = " in line]
    assert len(values) == len(FIELDS) + 2
    assert all("  # " in line for line in values)
    assert len(tomllib.loads(text)["root"]) == 2


def test_a_root_whose_name_is_not_utf8_can_be_printed(environ: dict[str, str]) -> None:
    loaded = load(Flags(roots=(os.fsdecode(b"/nowhere/caf\xe9"),)), environ)
    text = render(loaded).encode().decode()
    assert tomllib.loads(text)["root"] == [{"path": "/nowhere/caf\\udce9"}]


def test_what_is_unlikely_to_be_meant_is_a_warning(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "inner").mkdir()
    environ["AGENTD_EMBEDDING_MODEL"] = str(tmp_path / "model")
    environ["AGENTD_METRICS_TEXTFILE"] = str(tmp_path / "gone" / "figures.txt")
    roots = tuple(str(tmp_path / name) for name in ("", "file", "missing", "inner"))
    found = "\n".join(warnings(load(Flags(roots=(*roots, "/")), environ)))
    for words in (
        f"root {tmp_path / 'file'}: expected a folder, found something else (flag --root)",
        f"root {tmp_path / 'missing'}: there is no such folder",
        f"root {tmp_path / 'inner'} lies inside the root {tmp_path}",
        "root /: the whole file system cannot be a root",
        f"embedding.model {tmp_path / 'model'} is no folder (environment AGENTD_EMBEDDING_MODEL)",
        f"metrics.textfile {tmp_path}/gone/figures.txt does not end in .prom: node_exporter passes it over",
        f"metrics.textfile {tmp_path}/gone/figures.txt cannot be written: {tmp_path}/gone is no folder",
    ):
        assert words in found
    assert not warnings(load(Flags(), {**environ, "AGENTD_EMBEDDING_MODEL": "", "AGENTD_METRICS_TEXTFILE": ""}))


def test_flags_are_read() -> None:
    line = "--root a --root b --config c --socket d --state-dir e --log-level debug --log-format json --check"
    assert parse_flags(line.split()) == Flags(
        roots=("a", "b"), config="c", socket="d", state_dir="e", log_level="debug", log_format="json", check=True
    )
    assert parse_flags([]) == Flags()


def test_wrong_usage_leaves_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_flags(["--rot", "x"])
    assert caught.value.code == 2
    assert "--rot" in capsys.readouterr().err
