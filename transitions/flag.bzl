"""A flag that is on or off."""

def _bool_flag_impl(_ctx):
    # What it is set to is read by transitions and by config_setting.
    return []

bool_flag = rule(
    implementation = _bool_flag_impl,
    build_setting = config.bool(flag = True),
    doc = "A flag of the command line that is True or False.",
)
