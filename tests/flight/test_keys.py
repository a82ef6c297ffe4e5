import os
import stat

import pytest

from flight.keys import (
    Half,
    KeyFileError,
    LinkKeys,
    derive_from_seed,
    generate,
    load_half,
    main_keys,
    save_halves,
)
from flight.wire.transfer_frame import Direction


def test_both_halves_hold_the_same_keys_and_nobody_else_may_read_them(tmp_path):
    keys = generate()
    node, ground = save_halves(keys, tmp_path / "keys")
    assert load_half(node, Half.NODE) == keys == load_half(ground, Half.GROUND)
    for path in (node, ground):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_half_is_private_under_any_umask(tmp_path):
    old = os.umask(0)
    try:
        node, _ = save_halves(generate(), tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(node.stat().st_mode) == 0o600


def test_each_end_seals_what_only_the_other_opens():
    keys = derive_from_seed(1)
    assert keys.sends(Half.NODE) == keys.receives(Half.GROUND)
    assert keys.sends(Half.GROUND) == keys.receives(Half.NODE)
    assert keys.sends(Half.NODE).direction is Direction.DOWNLINK
    assert keys.sends(Half.NODE).key != keys.sends(Half.GROUND).key


def test_the_other_ends_half_is_refused_for_it_would_share_a_nonce(tmp_path):
    node, _ = save_halves(generate(), tmp_path)
    with pytest.raises(KeyFileError, match=r"node's half.*link-ground\.json"):
        load_half(node, Half.GROUND)


def test_keys_readable_by_others_are_refused_with_the_line_that_mends_it(tmp_path):
    node, _ = save_halves(generate(), tmp_path)
    node.chmod(0o640)
    with pytest.raises(KeyFileError, match=f"chmod 600 {node}"):
        load_half(node, Half.NODE)


def test_a_missing_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(KeyFileError, match="lumenode keys init"):
        load_half(tmp_path / Half.NODE.file_name, Half.NODE)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace('"epoch": 1', '"epoch": 0'),
        lambda text: text.replace("a", "x", 3),
        lambda _: "[]",
    ],
)
def test_a_damaged_file_is_refused_without_quoting_a_key(tmp_path, damage):
    keys = generate(random_bytes=lambda n: b"\xab" * n)
    node, _ = save_halves(keys, tmp_path)
    node.write_text(damage(node.read_text()))
    with pytest.raises(KeyFileError) as caught:
        load_half(node, Half.NODE)
    assert str(node) in str(caught.value)
    assert "abab" not in str(caught.value)


def test_keys_are_never_overwritten_and_no_half_pair_is_left(tmp_path, capsys):
    assert main_keys(["init", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert main_keys(["init", str(tmp_path)]) == 2
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert "never overwritten" in capsys.readouterr().err
    (tmp_path / Half.NODE.file_name).unlink()
    assert main_keys(["init", str(tmp_path)]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [Half.GROUND.file_name, "models-ground.json", "models-node.json"]
    )


@pytest.mark.parametrize("argv", [[], ["init"], ["make", "x"], ["init", "a", "b"], ["init", "-x"]])
def test_bad_usage_ends_with_2_and_an_example(argv, capsys):
    assert main_keys(argv) == 2
    assert "example: lumenode keys init" in capsys.readouterr().err


def test_help_ends_with_0(capsys):
    assert main_keys(["--help"]) == 0
    assert "usage: lumenode keys init DIR" in capsys.readouterr().out


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_cannot_be_made_ends_with_2_and_says_so(tmp_path, capsys, below):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / below
    assert main_keys(["init", str(folder)]) == 2
    assert f"{folder}: " in (said := capsys.readouterr().err)
    assert "choose a folder that can be written" in said


def test_a_disk_that_fails_leaves_no_half_a_pair(tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(KeyFileError, match="No space left on device; choose a folder"):
        save_halves(generate(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_pairs_never_share_a_key(tmp_path):
    pairs = [generate() for _ in range(4)]
    assert len({key for pair in pairs for key in (pair.downlink_key, pair.uplink_key)}) == 8


def test_a_seed_gives_the_same_keys_for_ever_and_another_seed_gives_others():
    assert derive_from_seed(7) == derive_from_seed(7)
    assert derive_from_seed(7) != derive_from_seed(8)
    assert derive_from_seed(7, epoch=2).downlink_key != derive_from_seed(7).downlink_key
    assert derive_from_seed(7).downlink_key.hex()[:16] == "7cf72c7ae4c2add5"


def test_a_key_never_shows_in_a_repr():
    keys = LinkKeys(1, b"\xaa" * 32, b"\xbb" * 32)
    shown = repr(keys) + repr(keys.sends(Half.NODE))
    assert "aa" not in shown.lower().replace("epoch", "")
    assert "\\xbb" not in shown
