"""The project's own addresses: a log-in, a log-out, and a page for those who are logged in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import path


def front(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>Hello")


@login_required
def members(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<p>Hello {request.user.get_username()}")


urlpatterns = [
    path("", front),
    path("members/", members),
    path("accounts/login/", LoginView.as_view()),
    path("accounts/logout/", LogoutView.as_view()),
]
