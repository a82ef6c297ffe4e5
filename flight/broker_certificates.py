"""`lumenode keys tls DIR`: an authority of one's own, and a certificate for each end of a broker.

Mutual TLS: the broker shows a certificate and asks everybody for one; its common name is the user
name of the broker's access list. Keys on the curve P-256, the one that every TLS 1.2 and 1.3
library has (RFC 8446 section 9.1); lifetimes in days, and none begins before yesterday, so that
a board whose clock is an hour behind still gets in.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flight.base.clock import host_correlation
from flight.keys import KeyFileError, write_new
from flight.one_line_parser import OneLineParser
from flight.telemetry.mqtt_messages import NODE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

AUTHORITY, BROKER = "ca", "broker"
CLIENTS = ("lumenode-1", "operator", "viewer")
AUTHORITY_DAYS = 3_650
DAYS = 825
DAYS_MAX = AUTHORITY_DAYS
_PUBLIC_MODE = 0o644
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _host(text: str) -> x509.GeneralName:
    """How a certificate names a host: by address, or by name."""
    return x509.IPAddress(ip_address(text)) if _is_address(text) else x509.DNSName(text)


def _begun(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    """What every certificate says."""
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def new_authority(now: datetime) -> Signer:
    """An authority that signs certificates of ends and no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _begun("lumenode broker authority", _name("lumenode broker authority"), key, now,
                     AUTHORITY_DAYS)  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Signer(builder.sign(key, hashes.SHA256()), key)


def new_end(
    authority: Signer, name: str, now: datetime, days: int, hosts: Sequence[str] = ()
) -> Signer:
    """A certificate of one end: of a broker at `hosts`, of a client where there are none."""
    key = ec.generate_private_key(ec.SECP256R1())
    signs = authority.certificate
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _begun(name, signs.subject, key, now, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None),
                                    critical=True)  # fmt: skip
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
        critical=False,
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return Signer(builder.sign(authority.key, hashes.SHA256()), key)


def _save(folder: Path, stem: str, made: Signer) -> None:
    pem = serialization.Encoding.PEM
    private = made.key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key, certificate = folder / f"{stem}.key", folder / f"{stem}.crt"
    try:
        write_new(key, private)
        try:
            write_new(certificate, made.certificate.public_bytes(pem), _PUBLIC_MODE)
        except OSError:
            key.unlink()
            raise
    except FileExistsError as error:
        raise KeyFileError(
            f"{error.filename} exists without its other half: move it away first"
        ) from error
    except OSError as error:
        raise KeyFileError(f"{folder}: {error.strerror}; choose a folder that can be written") \
            from error  # fmt: skip


def _load_authority(folder: Path) -> Signer:
    path = folder / f"{AUTHORITY}.crt"
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        path = folder / f"{AUTHORITY}.key"
        key: PrivateKeyTypes = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; it is needed to sign") from error
    except (ValueError, TypeError):
        raise KeyFileError(f"{path} holds no certificate or key of an authority") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise KeyFileError(f"{path} does not belong to {AUTHORITY}.crt beside it")
    return Signer(certificate, key)


def _check(clients: Sequence[str], hosts: Sequence[str], days: int) -> None:
    """KeyFileError in one line for what no certificate should say."""
    for name in clients:
        if not NODE_NAME.fullmatch(name) or name in {AUTHORITY, BROKER}:
            raise KeyFileError(
                f"name {name!r}: allowed: letters, digits, . _ - (1 to 64), not ca or broker"
            )
    for host in hosts:
        if not (_HOST_NAME.fullmatch(host) or _is_address(host)):
            raise KeyFileError(f"--broker {host!r}: allowed: a host's name or address")
    if not 1 <= days <= DAYS_MAX:
        raise KeyFileError(f"--days {days}: allowed is 1 to {DAYS_MAX}")


def make_certificates(
    folder: Path, clients: Sequence[str], hosts: Sequence[str], days: int
) -> list[str]:
    """Makes what is missing in `folder`, with the authority that is there or a new one.

    Returns:
        Stems of the files that were made.

    Raises:
        KeyFileError: a name is none, half a pair is there, or a file can't be read or written.
    """
    _check(clients, hosts, days)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"{folder}: {error.strerror}; choose a folder that can be written") \
            from error  # fmt: skip
    utc = host_correlation()
    now = datetime.fromtimestamp(utc.utc_ns(utc.set_at_ns) // 1_000_000_000, UTC)
    made = []
    if not (folder / f"{AUTHORITY}.crt").exists():
        _save(folder, AUTHORITY, new_authority(now))
        made.append(AUTHORITY)
    authority = _load_authority(folder)
    for name, reached_at in ((BROKER, tuple(hosts)), *((client, ()) for client in clients)):
        if not (folder / f"{name}.crt").exists():
            _save(folder, name, new_end(authority, name, now, days, reached_at))
            made.append(name)
    return made


def main_tls(argv: Sequence[str]) -> int:
    """Exit code: 0 made or all there, 2 refused in one line."""
    parser = OneLineParser(
        prog="lumenode keys tls",
        description="Make an authority and certificates for mutual TLS with a broker: what is "
        "missing in DIR, nothing there is touched. To renew one, move its two files away and run "
        "this again.",
        epilog="example: lumenode keys tls broker-keys --broker broker.lab --broker 192.168.1.5",
    )
    parser.add_argument("folder", metavar="DIR", help="keep ca.key in it away from everybody")
    parser.add_argument(
        "names", metavar="NAME", nargs="*", default=list(CLIENTS),
        help=f"clients, as the access list names them ({' '.join(CLIENTS)})",
    )  # fmt: skip
    parser.add_argument(
        "--broker", metavar="HOST", action="append",
        help="name or address that clients reach the broker at; may be repeated (localhost)",
    )  # fmt: skip
    parser.add_argument(
        "--days", metavar="N", type=int, default=DAYS, help=f"a certificate is valid ({DAYS})"
    )
    options = parser.parse_args(argv)
    folder = Path(options.folder).expanduser()
    try:
        made = make_certificates(
            folder, options.names, options.broker or ["localhost"], options.days
        )
    except KeyFileError as error:
        sys.stderr.write(f"lumenode keys: {error}\n")
        return 2
    sys.stdout.write("".join(_told(folder, stem) for stem in made) or f"{folder}: all there\n")
    return 0


def _told(folder: Path, stem: str) -> str:
    where = {
        AUTHORITY: "the certificate goes to everybody, the key to nobody",
        BROKER: "to the broker",
    }
    return f"{folder / stem}.crt, .key: {where.get(stem, f'to {stem} alone')}\n"
