"""The command line client: flags → client → output.

Commands are one module a verb under `commands`, loaded only when that verb is asked for; `registry` is the table of them.

Flags are parsed by our own small parser (`flags`) after pflag's grammar, because scripts rely on it: ``--rm=false``, ``-it``,
options ending at the image's name in ``run``, and the words of each refusal. It also loads in 2 ms where click takes 40 of
the 60 ms that ``argosy ps`` may take.
"""
