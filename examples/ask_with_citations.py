"""Ask a question; the answer appears as it is written, then what it cites, compared with the files once more.

python examples/ask_with_citations.py how often is a request tried again
"""

from __future__ import annotations

import sys

from agentd.client import AgentdClientError, Client


def main(question: str) -> None:
    """Stream an answer to standard output."""
    with Client(timeout=None) as client:  # a model may think for long
        stream = client.stream("ask", question=question)
        for event in stream:
            match event:
                case {"event": "chunk", "text": text}:
                    print(text, end="", flush=True)
                case {"event": "discarded", "reason": reason}:  # its model failed midway; another begins anew
                    print(f"\n(all of this is void: {reason})\n")
        answer = stream.result
        print()
        for citation in client.verify(answer["id"])["citations"]:
            place = citation.get("path") or citation.get("url")
            print(f"[{citation['n']}] {place}:{citation['start_line']}  {citation['state']}")
        for reason in answer["degraded"]:
            print(f"note: {reason}", file=sys.stderr)


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("usage: ask_with_citations.py QUESTION")
    try:
        main(" ".join(sys.argv[1:]))
    except AgentdClientError as error:
        sys.exit(error.message)
