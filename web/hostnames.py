"""Normalizes host names and origins to the form in which browsers write them, so that they can be compared."""

import ipaddress
import re

import idna

PORTS = {"http": 80, "https": 443}

_NATIVE = {"ws": "http", "wss": "https"}
_HOST = re.compile(r"(\[[^\s\[\]/?#@\\]+\]|[^\s\[\]/?#@\\:%]+)(?::([0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # browsers read a name whose last label is a number as an IP address
_SCHEME = re.compile(r"(https?|wss?)://", re.IGNORECASE)
_OPAQUE = re.compile(r"null|file:///?|(?!wss?:)[a-z][a-z0-9+.-]*://[!-.0-~]+")  # a file, an extension, an app
_PATH = re.compile("[/?#]")
_LAST_SLASH = re.compile(r"(?<!:/)/$")  # but not that of file://
_LONGEST = 253  # characters of a name


def read_host(text: str) -> tuple[str, int | None]:
    """The name, or the IP address without brackets, and the port of a `Host` header; raises ValueError.

    The name is in lower case, without a dot at its end, and in punycode (xn--).
    """
    found = _HOST.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no host")
    port = int(found[2]) if found[2] else None
    if port is not None and port > 65535:
        raise ValueError(f"{text!r} has no port")
    return _address(found[1]) or _name(found[1]), port


def is_address(name: str) -> bool:
    """True if a name that `read_host` returned is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def read_origin(text: str) -> str:
    """The normalized `Origin`, always with its port; raises ValueError."""
    scheme, _, host = text.partition("://")
    if scheme.lower() in PORTS:
        return origin_at(scheme.lower(), *read_host(host))
    if not _OPAQUE.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is no origin")
    return text.lower().replace("file:///", "file://")


def read_native_origin(text: str) -> str:
    """As `read_origin`, for an origin that an app may have written itself: ws and wss are taken, and whole addresses.

    ws is http and wss is https. No browser sends such an origin for a page, so none is let in by this.
    """
    scheme, _, rest = text.partition("://")
    scheme = _NATIVE.get(scheme.lower(), scheme.lower())
    return read_origin(f"{scheme}://{_PATH.split(rest)[0]}" if scheme in PORTS else text)


def origin_at(scheme: str, name: str, port: int | None) -> str:
    """The origin of pages from this scheme, host and port; None is the scheme's usual port."""
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}:{PORTS[scheme] if port is None else port}"


def host_to_allow(option: str) -> str:
    """The normalized host name of an option, which may be a whole URL; raises ValueError with an instruction."""
    text = _SCHEME.sub("", option.strip(), count=1).removesuffix("/")
    try:
        return text if is_address(text) else read_host(text)[0]
    except ValueError:
        raise ValueError(f"{option!r} cannot be a host name: write one such as astro.local, each by itself") from None


def origin_to_allow(option: str) -> str:
    """The normalized origin of an option; raises ValueError with an instruction."""
    try:
        return read_origin(_LAST_SLASH.sub("", option.strip()))
    except ValueError:
        raise ValueError(
            f"{option!r} cannot be an origin: write scheme and host, such as https://astro.local, each by itself"
        ) from None


def _address(text: str) -> str:
    """The canonical form of an IP address; empty if it is none."""
    try:
        if text.startswith("["):
            return str(ipaddress.IPv6Address(text[1:-1]))
        return str(ipaddress.IPv4Address(text.removesuffix(".")))
    except ValueError:
        return ""


def _name(text: str) -> str:
    if len(text) <= _LONGEST + 1:
        ascii_ = text if text.isascii() else idna.encode(text, uts46=True).decode()
        name = ascii_.lower().removesuffix(".")
        labels = name.split(".")
        if len(name) <= _LONGEST and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1]):
            return name
    raise ValueError(f"{text!r} is no name")
