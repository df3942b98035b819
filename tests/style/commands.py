"""Commands and options that the docs name exist in the program.

`flotilla VERB … --option` in backquotes, in an indented block or after "$ " is looked up: the verb in
controller/cli/commands.c, the option in the sources of the commands; likewise the modes of
flotilla-agent.
"""

import re

COMMANDS = "controller/cli/commands.c"
MODES = "agents/agent/modes.c"
CALL = re.compile(r"\bflotilla(?! +flotilla)(-agent)?((?: +[^\s`|;)]+)+)")
WORD = re.compile(r"[a-z][a-z-]*")


def spans(text):
    """(line, code) of everything that is shown as code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("```"):
            fenced = not fenced
        elif fenced:
            if re.match(r"\s*(\$ |flotilla)", line):
                yield number, line
        elif line.startswith("    "):
            yield number, line.split(" # ")[0]
        else:
            for match in re.finditer(r"`([^`]+)`", line):
                yield number, match[1]


def options_of(tree, folders):
    text = "".join(tree.text(p) for p in tree.c_files if p.startswith(folders))
    return set(re.findall(r'\{[\s\\]*"([a-z-]+)",', text)) | {"help", "usage", "version"}


def check(tree):
    if COMMANDS not in tree.files:
        return
    verbs = set(re.findall(r'\{ "([a-z-]+)",', tree.text(COMMANDS))) | {"help"}
    modes = set(re.findall(r'\{ "([a-z]+)",', tree.text(MODES))) | {"version"}
    options = {"": options_of(tree, ("controller/cli/", "controller/desk/", "controller/terminal/")), "-agent": options_of(tree, ("agents/agent/",))}
    for path in tree.files:
        if not path.endswith(".md") or path.startswith("tests/"):
            continue
        for number, code in spans(tree.text(path)):
            for match in CALL.finditer(code):
                program, words = match[1] or "", match[2].split()
                known = modes if program else verbs
                verb = next((w for w in words if not w.startswith("-")), "")
                if WORD.fullmatch(verb) and words[0] == verb and verb not in known:
                    yield path, number, f"flotilla{program} has no \"{verb}\"", f"there are: {', '.join(sorted(known))}"
                for word in words:
                    option = re.match(r"--([a-z][a-z-]*)", word)
                    if option and option[1] not in options[program]:
                        yield path, number, f"flotilla{program} has no option --{option[1]}", "mend or remove it"
