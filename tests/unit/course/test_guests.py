import yaml

from calico_lab.lessons.guests import User, secret


def test_the_line_is_that_of_htpasswd():
    # htpasswd -nbs ann secret
    assert User("ann", "secret").line == "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="


def test_no_text_of_a_user_has_the_password():
    ann = User("ann")
    assert len(ann.password) >= 16
    for user in (ann, ann.mistyping()):
        assert user.password not in f"{user} {user!r}"
    assert str(ann.mistyping()) == "ann, mistyped"
    assert ann.mistyping().password != ann.password


def test_every_user_has_a_password_of_their_own():
    assert User("ann").password != User("ann").password


def test_a_secret_lists_users_and_no_passwords():
    ann, bob = User("ann"), User("bob")
    text = secret("users", ann, bob)
    assert yaml.safe_load(text)["stringData"] == {".htpasswd": f"{ann.line}\n{bob.line}\n"}
    assert ann.password not in text
