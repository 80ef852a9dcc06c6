"""What is raised for a configuration text that cannot be read or changed safely."""


class InvalidText(ValueError):
    """The text is not what its host reads; the message says where and what is wrong, for a person."""


UNUSUAL = "its layout is too unusual to be changed safely"
