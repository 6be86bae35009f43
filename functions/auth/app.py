"""The routes of the auth module."""

from functools import cache
from typing import Annotated, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from retainstream.accounts import accounts, administration, views
from retainstream.accounts.guessing import BROWSER_KNOWN_SECONDS, Allowance, Guessing, TooManyGuesses, Visitor
from retainstream.accounts.passwords import UnacceptablePassword
from retainstream.accounts.sessions import Sessions
from retainstream.accounts.tokens import Realm
from retainstream.engine.schema.validation import FieldError
from retainstream.http import Api, Caller, Data, Listing, PageInfo, Problem, public, requires
from retainstream.http.admission import unauthenticated
from retainstream.http.body import read_json
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.paging import Cursors
from retainstream.http.visitor import SIGN_IN_PATH, browser_cookie, browser_of
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def known_browser(event: HttpEvent) -> str | None:
    """The subject of a sign-in from a browser that somebody has signed in with to the same account; None for every other request."""
    browser = browser_of(event)
    if not browser or app.current_event.path != SIGN_IN_PATH:
        return None
    try:
        return guessing().known(views.Credentials.model_validate(read_json(app.current_event)).email, browser)
    except (Problem, ValidationError):
        return None


app = Api("auth", known_browser)
TAGS = ["auth"]
stores = Stores()

USERS = Cursors[administration.Place](administration.Place, stores)

app.explain(accounts.RegistrationRefused, lambda _: Problem("registration-closed", "Ask an administrator for an account."))
app.explain(
    accounts.EmailTaken,
    lambda _: Problem("conflict", "An account has this e-mail address already.", [FieldError("body.email", "is taken")]),
)
app.explain(accounts.WrongCredentials, lambda _: Problem("wrong-credentials", headers={"WWW-Authenticate": "Bearer"}))
app.explain(
    accounts.WrongPassword, lambda _: Problem("invalid-request", errors=[FieldError("body.current_password", "is not your password")])
)
app.explain(
    TooManyGuesses,
    lambda wait: Problem(
        "too-many-requests", f"Too many wrong passwords. Try again in {wait.seconds} seconds.", headers={"Retry-After": str(wait.seconds)}
    ),
)
app.explain(accounts.UnknownCaller, lambda _: unauthenticated())
app.explain(UnacceptablePassword, lambda error: Problem("invalid-request", errors=[FieldError(f"body.{error.field}", str(error))]))
app.explain(administration.UnknownUser, lambda _: Problem("not-found", "No account has this e-mail address."))
app.explain(administration.LastAdministrator, lambda _: Problem("conflict", "The last active administrator must stay."))
app.explain(administration.ChangedMeanwhile, lambda _: Problem("conflict", "Another request changed the account. Read it again."))


@cache
def sessions() -> Sessions:
    return Sessions(Realm(settings().token_issuer, settings().token_audience))


@cache
def guessing() -> Guessing:
    """A wrong password of an account is forgotten every 15 minutes, one of an address every three minutes."""
    account, address = Allowance(settings().wrong_passwords_account, 900), Allowance(settings().wrong_passwords_address, 180)
    return Guessing(account, address, key=stores.sealing.key("guesses"))


@cache
def policy() -> accounts.RegistrationPolicy:
    return accounts.RegistrationPolicy(settings().self_registration, settings().registration_domain)


@app.post("/api/auth/register", status_code=201, summary="Register", tags=TAGS, **public("registration-closed", "conflict"))
def register(body: views.Registration) -> Data[views.SignedIn]:
    """Creates a viewer's account where registration is open to the address, and signs in."""
    return Data(data=views.signed_in(accounts.register(sessions(), policy(), body.email, body.password.get_secret_value(), body.name)))


@app.post(SIGN_IN_PATH, summary="Sign in", tags=TAGS, **public("wrong-credentials"))
def login(body: views.Credentials) -> Response[Data[views.SignedIn]]:
    """Answers a token that is valid for 24 hours. A refusal has the same text and takes the same time whether or not the account exists.
    After several wrong passwords for an account, or from an address, each further one doubles the wait for the next, up to 15 minutes
    (429). A browser that was used to sign in keeps a cookie, so that neither wrong passwords nor other requests of others keep it out."""
    event = cast("HttpEvent", app.current_event.raw_event)
    visitor = Visitor(app.network(), browser_of(event))
    session, browser = accounts.sign_in(sessions(), guessing(), visitor, body.email, body.password.get_secret_value())
    cookies = [browser_cookie(browser, BROWSER_KNOWN_SECONDS)]
    return Response(200, "application/json", Data(data=views.signed_in(session)), cookies=cookies)


@app.get("/api/auth/me", summary="The signed-in user", tags=TAGS, **requires(Role.VIEWER, with_first_password=True))
def me(caller: Caller) -> Data[views.Me]:
    """The user of the token, as stored now."""
    return Data(data=views.me(accounts.known(sessions(), caller), caller))


@app.post("/api/auth/logout", summary="Sign out", tags=TAGS, **requires(Role.VIEWER, with_first_password=True))
def logout(caller: Caller) -> Data[views.SignedOut]:
    """Revokes the token of this request at once."""
    sessions().close(caller)
    return Data(data=views.SignedOut())


@app.post("/api/auth/password", summary="Change the password", tags=TAGS, **requires(Role.VIEWER, with_first_password=True))
def change_password(body: views.PasswordChange, caller: Caller) -> Data[views.SignedIn]:
    """Requires the current password, ends all sessions of the user and answers a new token. The new password must be another one. Wrong
    passwords cause waits as at sign-in."""
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    return Data(data=views.signed_in(accounts.change_password(sessions(), guessing(), caller, current, new)))


@app.get("/api/auth/users", summary="List all accounts", tags=TAGS, **requires(Role.ADMIN))
def list_users(
    limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[str | None, Query(max_length=2000)] = None
) -> Listing[views.UserView]:
    """Oldest account first."""
    after = USERS.read(cursor, scope="/api/auth/users")
    users, place = administration.page_of_users(sessions().users, after=after, limit=limit)
    onward = USERS.write(place, scope="/api/auth/users")
    return Listing(data=[views.user_view(user) for user in users], page=PageInfo(limit=limit, next=onward))


@app.post("/api/auth/users", status_code=201, summary="Create an account", tags=TAGS, **requires(Role.ADMIN, "conflict"))
def add_user(body: views.NewUser, caller: Caller) -> Data[views.UserView]:
    """Creates an account with this role and first password, whether or not registration is open. Until the user has changed the password,
    every other route answers 403 (`password-change-required`)."""
    password = body.password.get_secret_value()
    added = administration.add_user(sessions(), caller, body.email, password, name=body.name, role=body.role)
    return Data(data=views.user_view(added))


@app.patch("/api/auth/users", summary="Change a user's role or status", tags=TAGS, **requires(Role.ADMIN, "not-found", "conflict"))
def change_user(body: views.UserChange, caller: Caller) -> Data[views.UserView]:
    """The address is in the body, since addresses do not belong in URLs. The last active administrator stays."""
    changed = administration.change_user(sessions(), caller, body.email, role=body.role, status=body.status)
    return Data(data=views.user_view(changed))


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(event, context)
