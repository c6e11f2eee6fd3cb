"""What the settings ask for: an explainer, its model, and what works beside the requests."""

from ..explain.writer import Explainer
from .db.engine import Database
from .llm import LLMSettings, build_language_model
from .models.budget import Prices
from .models.guarded import GuardedModel
from .models.health import HealthCheck
from .rewording import Rewording
from .settings import Settings


def model_settings(settings: Settings) -> LLMSettings:
    """What the settings say of the model."""
    key = settings.model_api_key
    return LLMSettings(
        kind=settings.model_kind,
        base_url=settings.model_base_url,
        api_key=key.get_secret_value() if key else None,
        model=settings.model_name,
        timeout=settings.model_timeout,
        threads=settings.model_threads,
        grammar=settings.model_grammar,
        retries=settings.model_retries,
        breaker_failures=settings.model_breaker_failures,
        breaker_seconds=settings.model_breaker_seconds,
        token_budget=settings.model_token_budget,
        cost_budget=settings.model_cost_budget,
        prices=Prices(settings.model_price_in, settings.model_price_out),
        cache=settings.model_cache,
    )


def make_explainer(settings: Settings) -> Explainer:
    """An explainer with the configured language model, or with templates alone.

    Raises:
        NotReady: The embedded model is asked for and not installed.
    """
    model = build_language_model(model_settings(settings))
    return Explainer(model, settings.noun, settings.style, settings.language)


def template_explainer(settings: Settings) -> Explainer:
    """An explainer that words as the settings ask for, and has no model."""
    return Explainer(None, settings.noun, settings.style, settings.language)


def make_rewording(
    settings: Settings, database: Database, explainer: Explainer
) -> Rewording | None:
    """What words texts in the background; None where there is no model to do it."""
    if explainer.model is None:
        return None
    return Rewording(
        database,
        explainer,
        settings.model_workers,
        settings.model_queue,
        settings.model_patience,
    )


def make_health_check(settings: Settings, explainer: Explainer) -> HealthCheck | None:
    """What looks after the explainer's model; None where there is none."""
    if not isinstance(explainer.model, GuardedModel):
        return None
    return HealthCheck(explainer.model, settings.model_health_every)
