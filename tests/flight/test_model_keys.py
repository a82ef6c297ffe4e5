import pytest

from flight.keys import KeyFileError, load_public, main_keys
from flight.model_keys import (
    GROUND_FILE,
    NODE_FILE,
    is_signed,
    load_private,
    public_of,
    sign,
    signing_key,
)


def test_what_the_ground_signs_the_node_knows_and_nothing_else(tmp_path, capsys):
    assert main_keys(["models", str(tmp_path)]) == 0
    private, public = load_private(tmp_path / GROUND_FILE), load_public(tmp_path / NODE_FILE)
    signature = sign(private, b"a model")
    assert is_signed(public, signature, b"a model")
    assert not is_signed(public, signature, b"another model")
    assert not is_signed(public, bytes(64), b"a model")
    assert not is_signed(public, signature[:-1], b"a model")
    assert not is_signed(public_of(bytes(32)), signature, b"a model")
    assert private.hex() not in capsys.readouterr().out


def test_init_makes_link_and_model_keys_that_nobody_else_can_read(tmp_path):
    assert main_keys(["init", str(tmp_path)]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["link-ground.json", "link-node.json", GROUND_FILE, NODE_FILE]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_the_signature_is_the_one_of_the_published_vector():
    # RFC 8032, section 7.1, test 2
    private = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    assert public_of(private).hex() == (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    )
    assert sign(private, bytes.fromhex("72")).hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"version": 1, "model_public_key": "x"}'])
def test_a_file_that_is_no_key_is_one_line_that_says_what_to_do(tmp_path, content):
    path = tmp_path / NODE_FILE
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyFileError, match="lumenode keys models") as caught:
        load_public(path)
    assert "\n" not in str(caught.value)


def test_the_key_of_a_simulation_is_the_same_in_every_run_and_another_for_every_seed():
    assert signing_key(1) == signing_key(1) != signing_key(2)
