"""Asks a language model for a longer prompt: any endpoint that speaks OpenAI's chat completions, a local one included.

Waits for the network: never to be called by a thread the picture or a hand waits for.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

LARGEST_ANSWER_BYTES = 1 << 20
LONGEST_TEXT = 2000  # characters of an answer; more is no prompt
READ_BYTES = 65536
INSTRUCTIONS = (
    "You write prompts for a text-to-video model. Rewrite the user's prompt as one paragraph of about {words} words in "
    "plain English. Keep its subject and its meaning. Name the subject and the setting, then light, colours, texture, "
    "motion and camera. Describe one single continuous take: no cuts, no scene changes, no dialogue. "
    "Answer with the paragraph alone."
)
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class EndpointError(ValueError):
    """An endpoint that gave no text. The message is one sentence that names it and says what to do."""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask. `url` is the base that ends in /v1 as a rule."""

    url: str
    model: str
    key_variable: str = ""  # environment variable that holds the key; empty = none is sent
    timeout_s: float = 20.0  # for the whole answer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key is not carried to where somebody else points."""

    def redirect_request(
        self, req: urllib.request.Request, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> None:
        return None


def ask_endpoint(endpoint: Endpoint, text: str, target_words: int) -> str:
    """Return a longer text of about `target_words`. Raises EndpointError within about `timeout_s`."""
    request = _request(endpoint, text, target_words)
    deadline_s = time.monotonic() + endpoint.timeout_s
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if _is_local(_scheme_and_host(endpoint.url)[1]):
        handlers.append(urllib.request.ProxyHandler({}))  # this computer is not reached by a proxy
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=endpoint.timeout_s) as response:
            answer = _read(endpoint, response, deadline_s)
    except urllib.error.HTTPError as error:
        with error:
            raise EndpointError(f"{endpoint.url} refuses: {_reason(error)}") from None
    except TimeoutError:
        raise _too_slow(endpoint) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _too_slow(endpoint) from None
        raise EndpointError(f"{endpoint.url} cannot be reached ({error.reason}): is it running?") from None
    except EndpointError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:  # the last: a key or a host no header can hold
        raise EndpointError(f"{endpoint.url} broke off ({error or type(error).__name__})") from None
    return _text_of(endpoint, answer)


def _request(endpoint: Endpoint, text: str, target_words: int) -> urllib.request.Request:
    """Build the request. Only what every such endpoint takes is in it."""
    scheme, host = _scheme_and_host(endpoint.url)
    if scheme not in ("http", "https") or not host:
        raise EndpointError(
            f"{endpoint.url!r} is no address of an endpoint: write for example http://127.0.0.1:11434/v1"
        )
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if endpoint.key_variable:
        key = os.environ.get(endpoint.key_variable, "").strip()
        if not key:
            raise EndpointError(f"the environment variable {endpoint.key_variable} holds no key for {endpoint.url}")
        if scheme == "http" and not _is_local(host):
            raise EndpointError(
                f"{endpoint.url}: a key is not sent without https; use https, or leave key_variable out"
            )
        headers["Authorization"] = f"Bearer {key}"
    question = {
        "model": endpoint.model,
        "messages": [
            {"role": "system", "content": INSTRUCTIONS.format(words=target_words)},
            {"role": "user", "content": text},
        ],
    }
    url = f"{endpoint.url.rstrip('/')}/chat/completions"
    return urllib.request.Request(url, json.dumps(question).encode(), headers, method="POST")


def _read(endpoint: Endpoint, response: http.client.HTTPResponse, deadline_s: float) -> bytes:
    """Read the whole answer; one that drips must not take longer than one that is silent."""
    answer = b""
    while piece := response.read1(READ_BYTES):
        answer += piece
        if len(answer) > LARGEST_ANSWER_BYTES:
            raise EndpointError(f"{endpoint.url} answers with more than {LARGEST_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline_s:
            raise _too_slow(endpoint)
    return answer


def _text_of(endpoint: Endpoint, answer: bytes) -> str:
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise EndpointError(f"{endpoint.url} answers, but not with a chat completion: {answer[:60]!r}") from None
    text = " ".join(_THOUGHTS.sub(" ", content).split()) if isinstance(content, str) else ""
    text = "".join(letter for letter in text if letter.isprintable()).strip(' "“”*`')
    if not text:
        raise EndpointError(f"{endpoint.url} answers with no words")
    if len(text) > LONGEST_TEXT:
        raise EndpointError(f"{endpoint.url} answers with {len(text)} characters; a prompt has at most {LONGEST_TEXT}")
    return text


def _reason(error: urllib.error.HTTPError) -> str:
    if 300 <= error.code < 400:
        return f"it points to {error.headers.get('Location', 'another place')}; name that address itself"
    hints = {401: "is the key right?", 403: "is the key right?", 404: "is the address right, and the model's name?"}
    hints[429] = "it is asked too often, or the account is empty"
    return f"{error.code} {error.reason}" + (f"; {hints[error.code]}" if error.code in hints else "")


def _too_slow(endpoint: Endpoint) -> EndpointError:
    return EndpointError(f"{endpoint.url} took longer than {endpoint.timeout_s:g} s (timeout_s)")


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return "", ""


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
