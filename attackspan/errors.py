"""The one exception that attackspan raises on purpose."""


class AttackspanError(ValueError):
    """Something the user can put right: the message says what is wrong, where, and what to do.

    The command line prints it on one line and exits with status 2.
    """
