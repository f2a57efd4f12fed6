"""The documentation: Sphinx with MyST and furo, whose pages load nothing from another server."""

from importlib.metadata import version as installed_version

project = "privguard"
release = version = installed_version("privguard")
html_title = "privguard"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["privguard.css"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_permalinks_icon = "#"
