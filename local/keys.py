"""KMS keys that are the same after a restart."""

from collections.abc import Mapping
from typing import Any

import boto3
from cryptography.hazmat.primitives import serialization
from moto.kms.models import kms_backends

from local.isolation import ACCOUNT, REGION
from local.resources import KeyMaker
from local.state import State
from local.state_file import StateError


def kept_keys(state: State) -> KeyMaker:
    """Makes the keys of the template. Signing keys keep their id and private key; the stored state is not encrypted with the others."""

    def make(logical_id: str, properties: Mapping[str, Any]) -> str:
        options = {name: properties[name] for name in ("KeySpec", "KeyUsage", "Description") if name in properties}
        made = boto3.client("kms").create_key(**options)["KeyMetadata"]["KeyId"]
        keys = kms_backends[ACCOUNT][REGION].keys
        key: Any = keys[made]
        if properties.get("KeyUsage") != "SIGN_VERIFY":
            return made
        if key.private_key is None or not hasattr(key.private_key, "private_key"):
            raise StateError(f"{logical_id}: the local stack stores asymmetric keys only.")
        kept = state.key(logical_id)
        if kept is None:
            state.keep_key(logical_id, made, _to_pem(key.private_key.private_key))
            return made
        key_id, pem = kept
        key.arn = key.arn.replace(made, key_id)
        key.id = key_id
        key.private_key.private_key = serialization.load_pem_private_key(pem.encode(), None)
        keys[key_id] = keys.pop(made)
        return key_id

    return make


def _to_pem(private_key: Any) -> str:
    pem: bytes = private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()
