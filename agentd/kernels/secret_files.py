"""Which files hold secrets, by their names: keys, key stores, and what tools keep passwords and tokens in."""

from __future__ import annotations

FOLDERS = frozenset(
    {
        b".ssh",
        b".gnupg",
        b".aws",
        b".azure",
        b".kube",
        b".password-store",  # pass(1)
        b".gcloud",
    }
)
"""Folders of credentials: not entered at all."""

NAMES = frozenset(
    {
        b".env",
        b".secrets",
        b".netrc",
        b"_netrc",
        b".pgpass",
        b".my.cnf",
        b".mylogin.cnf",
        b".pypirc",
        b".htpasswd",
        b".git-credentials",
        b".dockercfg",
        b".vault-token",
        b".terraformrc",
        b"credentials",
        b"kubeconfig",
        b"master.key",
        b"credentials.tfrc.json",
        b"application_default_credentials.json",
        b"id_rsa",
        b"id_dsa",
        b"id_ecdsa",
        b"id_ecdsa_sk",
        b"id_ed25519",
        b"id_ed25519_sk",
        b"id_xmss",
    }
)
"""Whole names, in lower case. ``.npmrc`` is not here: most hold no token, and one that does has it masked."""

EXTENSIONS = frozenset(
    {
        b"pem",
        b"key",
        b"p8",
        b"p12",
        b"pfx",
        b"pkcs12",
        b"ppk",  # PuTTY
        b"jks",
        b"keystore",
        b"keytab",  # Kerberos
        b"kdb",
        b"kdbx",  # KeePass
        b"agekey",
        b"ovpn",
        b"tfstate",  # Terraform writes passwords into it as they are
        b"env",
    }
)

TEMPLATES = frozenset({b"example", b"sample", b"template", b"tmpl", b"tpl", b"dist", b"defaults", b"schema", b"md"})
"""Parts of a name that say that the values are left out: ``.env.example``, ``example.env``."""

CODE = frozenset({b"py", b"js", b"mjs", b"cjs", b"ts", b"tsx", b"go", b"rs", b"rb", b"php", b"sh"})


def is_secret_file(name: bytes) -> bool:
    """Whether a file called ``name`` is left out as one that holds secrets.

    >>> is_secret_file(b".env"), is_secret_file(b".env.example"), is_secret_file(b"id_rsa.pub")
    (True, False, False)
    """
    name = name.lower()
    if name in NAMES:
        return True
    _, *parts = name.lstrip(b".").split(b".")
    if name.startswith(b".env."):
        return TEMPLATES.isdisjoint(parts) and parts[-1] not in CODE
    if not parts or parts[-1] not in EXTENSIONS:
        return name.endswith(b".tfstate.backup")
    return parts[-1] != b"env" or TEMPLATES.isdisjoint(name.split(b"."))
