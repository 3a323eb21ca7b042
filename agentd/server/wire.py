"""Lines to requests and answers to lines: JSON-RPC 2.0 (https://www.jsonrpc.org/specification), batches left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from agentd.errors import AgentdError, InvalidRequestError, ParseError
from agentd.protocol import EVENT

if TYPE_CHECKING:
    from collections.abc import Mapping

RequestId = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, Meta(max_length=128)]
"""What may stand for a request; wider integers and longer strings could not be echoed or kept cheaply."""

_LONGEST_MESSAGE = 500


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """One request; without ``id`` it is a notification, which gets no answer. ``params`` are not yet decoded."""

    jsonrpc: Literal["2.0"]
    method: Annotated[str, Meta(max_length=128)]
    id: RequestId | UnsetType = UNSET
    params: Raw = Raw(b"{}")


class Rejection(Struct, frozen=True):
    """A line that is no request: the error to answer with, and the id where one could be read."""

    id: RequestId | None
    error: AgentdError


_requests = msgspec.json.Decoder(Request)
_ids: msgspec.json.Decoder[RequestId] = msgspec.json.Decoder(RequestId)
_encoder = msgspec.json.Encoder()


def decode_request(line: bytes) -> Request | Rejection:
    """Read one line. Never raises: what is wrong with it is the Rejection's error."""
    try:
        line.decode()  # the decoder takes params as they are and would let foreign bytes pass
        return _requests.decode(line)
    except msgspec.ValidationError as error:
        return _reject(line, error)
    except UnicodeDecodeError as error:
        return Rejection(None, ParseError(f"expected UTF-8, found another byte at offset {error.start}"))
    except msgspec.DecodeError as error:
        return Rejection(None, ParseError(f"expected one JSON message on the line: {error}"))
    except RecursionError:
        return Rejection(None, ParseError("expected JSON, found it nested too deeply"))


def _reject(line: bytes, error: msgspec.ValidationError) -> Rejection:
    """Why a line is no request. The decoder stops at the first wrong value, so whether it was JSON is seen only now."""
    try:
        fields = msgspec.json.decode(line, type=dict[str, Raw])
    except msgspec.ValidationError:
        return _reject_non_object(line)
    except (msgspec.DecodeError, RecursionError) as malformed:
        return Rejection(None, ParseError(f"expected one JSON message on the line: {malformed}"))
    message = f"expected a JSON-RPC 2.0 request: {shorten(str(error))}"
    return Rejection(_read_id(fields), InvalidRequestError(message))


def _reject_non_object(line: bytes) -> Rejection:
    try:
        msgspec.json.decode(line, type=list[Raw])
    except msgspec.ValidationError:
        return Rejection(None, InvalidRequestError("expected a JSON-RPC 2.0 request, found no object"))
    except (msgspec.DecodeError, RecursionError) as malformed:
        return Rejection(None, ParseError(f"expected one JSON message on the line: {malformed}"))
    sentence = "expected one message a line, found a batch: send its messages as lines of their own"
    return Rejection(None, InvalidRequestError(sentence))


def _read_id(fields: Mapping[str, Raw]) -> RequestId | None:
    try:
        return _ids.decode(fields["id"])
    except (KeyError, msgspec.DecodeError):
        return None


def shorten(text: str) -> str:
    """What a client sent may come back in a message, but not a megabyte of it."""
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def encode_result(request_id: RequestId | None, result: object) -> bytes:
    """The line that ends a request well. Raises what msgspec raises where ``result`` holds no JSON values."""
    return _encoder.encode({"jsonrpc": "2.0", "id": request_id, "result": result}) + b"\n"


def encode_error(request_id: RequestId | None, error: AgentdError) -> bytes:
    """The line that ends a request with an error; ``data.kind`` is the stable name."""
    body = {"code": error.code, "message": error.message, "data": {**error.details, "kind": error.kind}}
    return _encoder.encode({"jsonrpc": "2.0", "id": request_id, "error": body}) + b"\n"


def encode_event(request_id: RequestId, event: Mapping[str, object]) -> bytes:
    """A notification on the way to the result of ``request_id``."""
    return _encoder.encode({"jsonrpc": "2.0", "method": EVENT, "params": {**event, "id": request_id}}) + b"\n"
