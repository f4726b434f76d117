"""The checks of an audit: each looks at one thing, and gives findings."""
