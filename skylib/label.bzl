"""Targets by their labels as written."""

def string_to_label(label_list, string_list):
    """Pairs targets with texts.

    Args:
      label_list: list of Target.
      string_list: list of str, as long.

    Returns:
      dict from str to Target.
    """
    return dict(zip(string_list, label_list))
