"""Public types that belong to no single room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from plugbay.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["SecretModel"]


class SecretModel(BaseModel):
    """Base of models that hold secrets: what is wrong with them is said without showing what they hold.

    Pydantic's own errors quote the input, and with it every secret that was given correctly.

    Raises:
        ConfigurationError: A field is missing, unknown or of the wrong type.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    @model_validator(mode="wrap")
    @classmethod
    def _without_echo(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(data)
        except ValidationError as error:
            fields = {
                ".".join(map(str, item["loc"])) or "credentials": [item["msg"]]
                for item in error.errors(include_url=False, include_context=False, include_input=False)
            }
        # Raised outside the handler, so that the error which quotes the input is not kept as its context.
        raise ConfigurationError(
            f"{cls.__name__}: " + "; ".join(f"`{name}`: {texts[0]}" for name, texts in fields.items()) + ".",
            hint=f"It takes {', '.join(cls.model_fields)}.",
            details={"fields": fields},
        )

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **settings: Any) -> Self:
        """The model that a JSON text describes; see `BaseModel.model_validate_json`.

        Raises:
            ConfigurationError: It describes none, or is not JSON.
        """
        try:
            return super().model_validate_json(json_data, **settings)
        except ValidationError:
            pass
        # What is not JSON never reaches the validator above, and pydantic's error holds all of it.
        raise ConfigurationError(f"{cls.__name__}: the text is not JSON.")

    def __setattr__(self, name: str, value: Any) -> None:
        # Pydantic's own refusal quotes the value.
        raise TypeError(f"{type(self).__name__} is frozen; make a new one.")

    def __getstate__(self) -> dict[Any, Any]:
        raise TypeError(f"{type(self).__name__} holds secrets and is not pickled.")
