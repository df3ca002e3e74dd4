#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what is made from calls.tab, which says what is in it.

usage: calls.py calls.tab (list|wrappers|stubs|tests|docs|names) > FILE
"""

import re
import sys

ONCE = {"proto", "extra", "own", "as", "when", "try", "final", "since", "not",
        "version", "doc", "skip", "call", "again", "never", "holds", "drops",
        "plain"}
MANY = {"alias", "forward", "old", "with", "before", "enter", "after", "unblock",
        "fails"}

NOTICE = "/* SPDX-License-Identifier: Apache-2.0 */\n" \
    "/* Made from runtime/block/calls.tab by calls.py: edit that. */\n"


class Call:
    """One entry."""

    def __init__(self, name, where):
        self.name = name
        self.where = where
        self.once = {}
        self.many = {key: [] for key in MANY}

    def add(self, key, value):
        if key in MANY:
            self.many[key].append(value)
        elif key in ONCE and key not in self.once:
            self.once[key] = value
        else:
            self.fail(f"unknown or repeated: {key}")

    def fail(self, message):
        sys.exit(f"{self.where}: {self.name}: {message}")

    def __getitem__(self, key):
        return self.once.get(key)

    def names(self, key):
        """The words of alias or forward."""
        return " ".join(self.many[key]).split()

    def all_names(self):
        return [self.name] + self.names("alias") + self.names("forward") + \
            self.names("old")

    def finish(self):
        m = re.fullmatch(r"(.*?[ *])" + re.escape(self.name) + r"\((.*)\)",
                         self["proto"] or "")
        if not m:
            self.fail("no prototype, or not of this name")
        self.type = m[1].strip()
        self.params = m[2]
        fixed = [] if m[2] == "void" else m[2].split(", ")
        extra = (self["extra"] or "").split(", ") if self["extra"] else []
        if (fixed[-1:] == ["..."]) != bool(extra):
            self.fail("extra goes with ...")
        if extra:
            fixed.pop()
        self.fixed = [argument(p) for p in fixed]
        self.extra = [(p[:-len(argument(p))].strip(), argument(p))
                      for p in extra]
        self.args = ", ".join(self.fixed + [a for _, a in self.extra])
        if bool(self["try"]) != bool(self["final"]):
            self.fail("try goes with final")
        if not self["call"]:
            self.fail("no test")
        if bool(self["never"]) == bool(self.many["unblock"]):
            self.fail("either unblock, or never and why")


def argument(param):
    """The name that a parameter declares."""
    return re.search(r"(\w+)(\[\])?$", param)[1]


def read_table(path):
    includes, groups, calls = [], [], []
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line, where = line.rstrip("\n"), f"{path}:{n}"
            if not line or line.startswith("#"):
                continue
            if line.startswith("\t"):
                key, _, value = line[1:].partition("\t")
                calls[-1].add(key, value)
                continue
            word, _, rest = line.partition(" ")
            if word == "include":
                includes.append(rest)
            elif word == "group":
                groups.append((rest, [], []))
            elif word == "no":
                groups[-1][2].append(rest.split(": ", 1))
            elif rest:
                sys.exit(f"{where}: what is this?")
            else:
                calls.append(Call(word, where))
                groups[-1][1].append(calls[-1])
    seen = set()
    for c in calls:
        c.finish()
        for name in c.all_names():
            if name in seen:
                c.fail(f"{name} is there already")
            seen.add(name)
    return includes, groups, calls


# --- C -------------------------------------------------------------------

def guarded(call, text, sanitizers=True):
    """The text, where the call is there."""
    conditions = []
    if call["since"]:
        conditions.append("__GLIBC_PREREQ(%s)" %
                          call["since"].replace(".", ", "))
    if call["not"] and sanitizers:
        conditions.append("!WEND__TSAN")
    if not conditions:
        return text
    return "#if %s\n%s#endif\n" % (" && ".join(conditions), text)


def declared(call, name=None):
    """Not every name is in a header."""
    name = name or call.name
    if name == call.name and not name.startswith("__"):
        return ""
    return "extern %s %s(%s);\n" % (call.type, name, call.params)


def make_list(calls):
    out = NOTICE
    out += "#ifndef WEND_BLOCK_CALLS_H\n#define WEND_BLOCK_CALLS_H\n\n"
    out += "enum wend__call {\n"
    out += "".join(f"\tWEND__CALL_{c.name},\n" for c in calls)
    return out + "\tWEND__CALLS\n};\n\n#endif\n"


def plain(call):
    """The body of a wrapper that only counts."""
    return f"\tBLOCK_NEXT({call.name})\n\n\treturn next({call.args});\n"


def announced(call):
    """The body of a wrapper that announces."""
    void = call.type == "void"
    keep = "errno" in (call["final"] or "")
    take, give = ("", "") if void else ("result = ", " result")
    out = "" if void else f"\t{call.type} result;\n"
    out += "\tint err = errno;\n" if keep else ""
    out += f"\tBLOCK_NEXT({call.name})\n\n"
    when = f" || !({call['when']})" if call["when"] else ""
    plain = f"next({call.args});"
    if void:
        out += f"\tif (!wend__block_in_task(){when}) {{\n\t\t{plain}\n" \
            "\t\treturn;\n\t}\n"
    else:
        out += f"\tif (!wend__block_in_task(){when})\n\t\treturn {plain}\n"
    if call["try"]:
        out += f"\tresult = {call['try']};\n"
        out += f"\tif ({call['final']})\n\t\treturn result;\n"
    out += "\terrno = err;\n" if keep else ""
    out += "\twend_block_begin();\n"
    out += f"\t{take}{plain}\n"
    return out + f"\twend_block_end();\n\treturn{give};\n"


def alias(how, call, name):
    """Another name. Headers may declare that with other types of the same
    size, so C does not see it; only the assembler does."""
    return "%s %s alias_%s(%s) __asm__(\"%s\")\n" \
        "\t__attribute__((alias(\"%s\")));\n" % (
            how, call.type, name, call.params, name, call.name)


def counting(call):
    """The exported function around the wrapper's body."""
    n, condition = (1, call["holds"]) if call["holds"] else (-1, call["drops"])
    return f"BLOCK_EXPORT {call['proto']}\n{{\n" \
        f"\t{call.type} result = uncounted_{call.name}({call.args});\n\n" \
        f"\tif ({condition})\n\t\tblock_held({n});\n" \
        "\treturn result;\n}\n"


def wrapper(call):
    if call["as"]:
        body = f"\treturn {call['as']};\n"
    else:
        body = plain(call) if call["plain"] is not None else announced(call)
    out = declared(call)
    if call["holds"] or call["drops"]:
        out += "static %s uncounted_%s(%s)\n{\n%s}\n" % (
            call.type, call.name, call.params, body)
        out += counting(call)
    else:
        out += f"BLOCK_EXPORT {call['proto']}\n{{\n{body}}}\n"
    return out + "".join(alias("BLOCK_EXPORT", call, name)
                         for name in call.names("alias"))


def forwarder(call, name):
    return "%sBLOCK_EXPORT %s %s(%s)\n{\n\treturn %s(%s);\n}\n" % (
        declared(call, name), call.type, name, call.params, call.name,
        call.args)


def entry(call):
    fields = f'"{call.name}", (void *){call.name}'
    if call["version"]:
        fields += ", \"%s\"" % call["version"]
    else:
        fields += ", NULL"
    return f"\t[WEND__CALL_{call.name}] = {{ {fields} }},\n"


def headers(includes):
    """What C files begin with. GCC wants aliases to repeat the attributes."""
    return "#define _GNU_SOURCE\n" + \
        "".join(f"#include {i}\n" for i in includes) + \
        "\n#ifndef __clang__\n" \
        "#pragma GCC diagnostic ignored \"-Wmissing-attributes\"\n#endif\n"


def make_wrappers(includes, calls):
    out = NOTICE + headers(includes) + "\n#include <wend/errno.h>\n\n"
    out += '#include "compiler-rt/fiber.h"\n'
    out += '#include "runtime/block/announce.h"\n\n'
    for c in calls:
        text = declared(c) if c["own"] else wrapper(c)
        for name in c.names("forward") + c.names("old"):
            text += forwarder(c, name)
        if text:
            out += guarded(c, text) + "\n"
    out += "const struct wend__block_call wend__block_calls[WEND__CALLS] = {\n"
    return out + "".join(guarded(c, entry(c)) for c in calls) + "};\n"


def stub(call):
    """libwend-preload.so's: to the runtime's wrapper, or to libc's."""
    jump = f"slot(WEND__CALL_{call.name});\n"
    out = declared(call) + f"STUB {call['proto']}\n{{\n"
    out += f"\t__typeof__({call.name}) *target = {jump}"
    for type_, name in call.extra:
        out += f"\t{type_}{'' if type_.endswith('*') else ' '}{name};\n"
    if call.extra:
        out += "\tva_list list;\n\n"
        out += f"\tva_start(list, {call.fixed[-1]});\n"
        for type_, name in call.extra:
            out += f"\t{name} = va_arg(list, {type_});\n"
        out += "\tva_end(list);\n"
    else:
        out += "\n"
    out += "\t%starget(%s);\n}\n" % ("" if call.type == "void" else "return ",
                               call.args)
    return out + "".join(alias("STUB", call, name) for name in
                         call.all_names()[1:])


def make_stubs(includes, calls):
    out = NOTICE + headers(includes) + "#include <stdarg.h>\n\n"
    out += '#include "runtime/block/preload.h"\n\n'
    out += "".join(guarded(c, stub(c), False) + "\n" for c in calls)
    out += "const struct wend__stub wend__stubs[WEND__CALLS] = {\n"
    return out + "".join(guarded(c, entry(c), False) for c in calls) + "};\n"


# --- the test ------------------------------------------------------------

def make_tests(calls):
    out = NOTICE + "\n"
    for c in calls:
        text = "struct Case_%s : Case {\n" % c.name
        for key, head in [("with", None), ("before", "void Before() override"),
                          ("enter", "void Enter() override"),
                          ("after", "void After() override"),
                          ("unblock", "void Unblock() override")]:
            if not head:
                text += "".join(f"\t{line}\n" for line in c.many[key])
            elif c.many[key]:
                text += "\t%s\n\t{\n%s\t}\n" % (head, "".join(
                    f"\t\t{line}\n" for line in c.many[key]))
        if c["skip"]:
            text += "\tbool Missing() override\n\t{\n\t\treturn %s;\n\t}\n" % (
                c["skip"])
        text += "\tlong Call() override\n\t{\n\t\treturn (long)(%s);\n\t}\n" % (
            c["call"])
        if c.many["fails"]:
            text += "\tOutcomes Fails() override\n\t{\n\t\tOutcomes o;\n\n"
            for line in c.many["fails"]:
                text += "\t\to.push_back(Observe([&] { return (long)(%s); }));\n" % line
            text += "\t\treturn o;\n\t}\n"
        text += "};\n"
        extern = declared(c)
        extern = extern.replace("extern", 'extern "C"', 1)
        names = [c.name] + c.names("alias") + c.names("forward")
        text += "const Entry entry_%s{\n\t\"%s\",\n\t{ %s },\n" % (
            c.name, c.name, ", ".join(f'"{n}"' for n in names))
        text += "\tWEND__CALL_%s,\n\t%s,\n\t%s,\n\t%s,\n\t%s,\n};\n" % (
            c.name, '"%s"' % c["never"] if c["never"] else "nullptr",
            "true" if "again" in c.once else "false",
            "true" if c["as"] else "false",
            f"[] {{ return std::unique_ptr<Case>(new Case_{c.name}); }}")
        out += guarded(c, extern + text) + "\n"
    out += "const std::vector<const Entry *> kEntries = {\n"
    for c in calls:
        out += guarded(c, f"\t&entry_{c.name},\n")
    out += "};\n\n"
    missing = [guarded(c, f"\t\"{c.name}\",\n").replace("#if ", "#if !(", 1)
               .replace("\n", ")\n", 1) for c in calls
               if c["since"] or c["not"]]
    out += "const std::vector<const char *> kAbsent = {\n"
    return out + "".join(missing) + "};\n"


# --- the documentation ---------------------------------------------------

def manner(call):
    if call["as"]:
        return "as the calls it is made of"
    if call["own"]:
        return {"sleeping.c": "a timer, no kernel thread waits",
                "others.c": "if it may wait",
                "park.c": "never; only noted"}.get(call["own"], "tried first")
    if call["plain"] is not None:
        return "never; only counted"
    if call["try"]:
        return "if a try says that it would wait"
    return "if its flags let it wait" if call["when"] else "always"


def make_docs(groups):
    out = ""
    for title, calls, absent in groups:
        out += f"### {title}\n\n| call | announced | test |\n|---|---|---|\n"
        for c in calls:
            names = c.all_names()
            how = manner(c)
            if c["doc"]:
                how += "; " + c["doc"]
            if c["since"]:
                how += f" (glibc {c['since']})"
            test = c["never"] or "blocks"
            if c["not"]:
                test += "; not under ThreadSanitizer"
            out += "| %s | %s | %s |\n" % (
                " ".join(f"`{n}`" for n in names), how, test)
        out += "\n"
        for names, reason in absent:
            out += f"Not {names}: {reason}.\n\n"
    return out.rstrip("\n") + "\n"


def make_names(calls):
    """What is exported wherever the C library is not too old for it."""
    return "".join(f"{n}\n" for c in calls if not c["since"]
                   for n in c.all_names())


def main():
    includes, groups, calls = read_table(sys.argv[1])
    print({"list": lambda: make_list(calls),
           "wrappers": lambda: make_wrappers(includes, calls),
           "stubs": lambda: make_stubs(includes, calls),
           "tests": lambda: make_tests(calls),
           "docs": lambda: make_docs(groups),
           "names": lambda: make_names(calls)}[sys.argv[2]](), end="")


main()
