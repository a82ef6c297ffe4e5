"""`lumenode keys tls`: certificates that OpenSSL takes for what they are, and for nothing else."""

import os
import ssl

import pytest

from flight.keys import main_keys

NAMES = ["lumenode-1", "operator", "viewer"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls") / "keys"
    hosts = ["--broker", "broker.lab", "--broker", "192.168.1.5", "--broker", "::1"]
    assert main_keys(["tls", str(folder), *NAMES, *hosts]) == 0
    return folder


def context(kind, folder, name):
    made = ssl.SSLContext(kind)
    made.load_verify_locations(folder / "ca.crt")
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return made


def handshake(folder, server, client, host):
    """The name of the client as the server sees it; the two talk through memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context(ssl.PROTOCOL_TLS_SERVER, folder, server).wrap_bio(there, back, server_side=True),
        context(ssl.PROTOCOL_TLS_CLIENT, folder, client).wrap_bio(
            back, there, server_hostname=host
        ),
    ]
    waiting = list(reversed(ends))
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    return dict(pair for (pair,) in ends[0].getpeercert()["subject"])["commonName"]


@pytest.mark.parametrize("host", ["broker.lab", "192.168.1.5", "::1"])
@pytest.mark.parametrize("name", NAMES)
def test_both_ends_are_sure_of_each_other_at_every_name_of_the_broker(folder, name, host):
    assert handshake(folder, "broker", name, host) == name


def test_a_broker_at_another_name_is_not_believed(folder):
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'other\\.lab'"):
        handshake(folder, "broker", "operator", "other.lab")


def test_a_client_s_certificate_makes_no_broker_and_a_broker_s_no_client(folder):
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate purpose"):
        handshake(folder, "operator", "viewer", "operator")
    with pytest.raises(ssl.SSLError, match="certificate purpose"):
        handshake(folder, "broker", "broker", "broker.lab")


def test_nobody_else_may_read_a_key_and_everybody_a_certificate(folder):
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {".key": 0o600, ".crt": 0o644}
    assert folder.stat().st_mode & 0o077 == 0
    assert len(list(folder.iterdir())) == 2 * len(["ca", "broker", *NAMES])


def test_what_is_there_is_kept_and_what_is_missing_is_signed_by_the_same_authority(
    folder, tmp_path, capsys
):
    own = tmp_path / "keys"
    assert main_keys(["tls", str(own), "operator", "--broker", "b"]) == 0
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    assert main_keys(["tls", str(own), "operator", "viewer"]) == 0
    after = {path.name: path.read_bytes() for path in own.iterdir()}
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {"viewer.key", "viewer.crt"}
    assert handshake(own, "broker", "viewer", "b") == "viewer"
    capsys.readouterr()
    assert main_keys(["tls", str(own), "operator", "viewer"]) == 0
    assert capsys.readouterr().out == f"{own}: all there\n"


def refused(capsys, *words):
    assert main_keys(["tls", *map(str, words)]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    return said.err


def test_what_no_certificate_should_say_is_refused_in_one_line(tmp_path, capsys):
    keys = tmp_path / "keys"
    assert "name 'a/b': allowed: letters" in refused(capsys, keys, "a/b")
    assert "name 'ca'" in refused(capsys, keys, "ca")
    assert "--broker 'two words'" in refused(capsys, keys, "--broker", "two words")
    assert "--broker 'brök.er'" in refused(capsys, keys, "--broker", "brök.er")
    assert "--days 0: allowed is 1 to 3650" in refused(capsys, keys, "--days", "0")
    assert not keys.exists()
    (tmp_path / "file").touch()
    assert "choose a folder" in refused(capsys, tmp_path / "file" / "keys")


def test_an_authority_that_cannot_sign_is_named(folder, tmp_path, capsys):
    own = tmp_path / "keys"
    own.mkdir()
    (own / "ca.crt").write_bytes((folder / "ca.crt").read_bytes())
    assert "ca.key: No such file or directory; it is needed" in refused(capsys, own)
    (own / "ca.key").write_bytes((folder / "operator.key").read_bytes())
    assert "ca.key does not belong to ca.crt" in refused(capsys, own)
    (own / "ca.key").write_bytes(b"no key")
    assert "ca.key holds no certificate or key" in refused(capsys, own)


def test_a_key_without_its_certificate_is_never_overwritten(tmp_path, capsys):
    own = tmp_path / "keys"
    assert main_keys(["tls", str(own), "operator"]) == 0
    capsys.readouterr()
    (own / "operator.crt").unlink()
    key = (own / "operator.key").read_bytes()
    assert "operator.key exists without its other half" in refused(capsys, own, "operator")
    assert (own / "operator.key").read_bytes() == key


def test_a_disk_that_fails_leaves_no_half_a_pair(tmp_path, monkeypatch, capsys):
    real, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert "No space left on device; choose a folder" in refused(capsys, tmp_path / "keys")
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"ca.key", "ca.crt"}
