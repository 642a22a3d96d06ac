@rem The npm scripts say `exec`, so that on Unix no shell stands between npm and the launcher and swallows signals.
@rem Windows has no such command; this is it.
@%*
