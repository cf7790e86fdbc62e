"""Writes the connector reference from the connectors themselves: `python docs/generate.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plugbay.registry import find_connector, list_connectors

FOLDER = Path(__file__).parent / "reference"


def reference(connector: Any) -> str:
    """A connector's page."""
    lines = [
        f"# {connector.title}",
        "",
        f"`{connector.slug}`, `{connector.__module__.rpartition('.')[0]}.{connector.__name__}`",
        "",
    ]
    for entity, actions in connector.operations.items():
        lines += [f"## {entity}", "", connector.entity_docs[entity], ""]
        for operation in actions.values():
            lines += [
                f"### {operation.name}",
                "",
                f"*{operation.effect.value}*, `{operation.method} {operation.path}`",
                "",
            ]
            lines += [operation.description, ""]
            lines += _parameters(connector.list_entities(), entity, operation.action)
            if operation.summary:
                lines += [f"Summary fields: {', '.join(f'`{field}`' for field in operation.summary)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _parameters(entities: list[dict[str, Any]], entity: str, action: str) -> list[str]:
    found = next(each for each in entities if each["entity_name"] == entity)["parameters"][action]
    if not found:
        return []
    rows = [
        f"| `{each['name']}` | `{each['type'].replace('|', chr(92) + '|')}` | {'yes' if each['required'] else ''} | {each['description']} |"
        for each in found
    ]
    return ["| parameter | type | required | |", "|---|---|---|---|", *rows, ""]


def pages() -> dict[Path, str]:
    """Every page by its path."""
    return {FOLDER / f"{slug}.md": reference(find_connector(slug)) for slug in list_connectors()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
