"""An OpenAI that runs on loopback and answers from a script, for the real clients to talk to.

with FakeOpenAI(("my_tool", '{"days": 3}')) as openai:
    ...  # a client with base_url=openai.base_url and any key
openai.requests[0]["tools"]
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["FINAL", "FakeOpenAI"]

FINAL = "done"
"""What it says after the last call."""


class FakeOpenAI:
    """Makes one tool call after the other, and then says `FINAL`; knows /v1/chat/completions and /v1/responses.

    Args:
        calls: Name and arguments of each call; the arguments as the text that goes over the wire.

    Attributes:
        requests: The bodies that arrived.
    """

    def __init__(self, *calls):
        self.calls = calls
        self.requests = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(fake):  # noqa: N805 - the class below has a `self` of its own
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fake.requests.append(body)
                answers = {"/v1/chat/completions": fake._completion, "/v1/responses": fake._response}
                answer = answers[self.path](len(fake.requests) - 1)
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments):
                pass

        return Handler

    def _completion(self, number):
        message, reason = {"role": "assistant", "content": FINAL}, "stop"
        if number < len(self.calls):
            name, arguments = self.calls[number]
            call = {"id": f"call-{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
            message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    def _response(self, number):
        text = {"type": "output_text", "text": FINAL, "annotations": []}
        item = {"type": "message", "id": f"msg-{number}", "status": "completed", "role": "assistant", "content": [text]}
        if number < len(self.calls):
            name, arguments = self.calls[number]
            item = {
                "type": "function_call",
                "id": f"fc-{number}",
                "call_id": f"call-{number}",
                "name": name,
                "arguments": arguments,
                "status": "completed",
            }
        return {
            "id": f"resp-{number}",
            "object": "response",
            "created_at": 1,
            "model": "fake",
            "status": "completed",
            "output": [item],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 1,
                "output_tokens": 1,
                "total_tokens": 2,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }
