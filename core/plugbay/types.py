"""Public types that belong to no single room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)

from plugbay.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AirbyteAuthConfig", "SecretModel"]


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


class AirbyteAuthConfig(SecretModel):
    """The way to a connector that a hosted service holds the credentials of.

    What is not given comes from the environment when it is first needed: `AIRBYTE_CLIENT_ID`, `AIRBYTE_CLIENT_SECRET`,
    `AIRBYTE_ORGANIZATION_ID` and `AIRBYTE_API_URL`.

    Attributes:
        workspace_name: The workspace that the connector is in; `default` if neither name is given.
        customer_name: The older name of the same; the newer wins.
        organization_id: Chooses among the organizations that the client can reach.
        airbyte_client_id: The client's public identifier.
        airbyte_client_secret: The client's secret.
        connector_id: The connector itself, which is then not looked up in the workspace.
        api_url: The root of the service: https, or http on loopback; `https://api.airbyte.ai` if nothing names another.
    """

    # A customer's name that came out empty must not lead to the workspace of all who give none.
    workspace_name: str | None = Field(default=None, min_length=1)
    customer_name: str | None = Field(default=None, min_length=1)
    organization_id: str | None = None
    airbyte_client_id: str | None = None
    airbyte_client_secret: SecretStr | None = None
    connector_id: str | None = None
    api_url: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workspace_name: str | None = None,
            customer_name: str | None = None,
            organization_id: str | None = None,
            airbyte_client_id: str | None = None,
            airbyte_client_secret: str | SecretStr | None = None,
            connector_id: str | None = None,
            api_url: str | None = None,
        ) -> None: ...

    @property
    def workspace(self) -> str:
        """The name of the workspace."""
        return self.workspace_name or self.customer_name or "default"
