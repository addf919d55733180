"""Go's templates, as docker's users write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.cli.template.evaluate import render
from argosy.cli.template.lexer import TemplateError
from argosy.cli.template.parser import parse

DATA: dict[str, Any] = {
    "Name": "web",
    "Id": "0123",
    "Count": 3,
    "Share": 0.5,
    "On": True,
    "Nothing": None,
    "Env": ["A=1", "B=2"],
    "Empty": [],
    "Config": {"Labels": {"tier": "front", "a.b": "c"}, "Cmd": None},
    "Ports": {"80/tcp": [{"HostPort": "8080"}], "443/tcp": None},
    "MemorySwappiness": None,
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("{{.Name}}", "web"),
        ("{{.ID}}", "0123"),
        ("{{ .Count }} {{.Share}} {{.On}}", "3 0.5 true"),
        ("{{.Env}} {{.Empty}}", "[A=1 B=2] []"),
        ("{{.Config.Labels}}", "map[a.b:c tier:front]"),
        ("{{.Config.Labels.tier}}", "front"),
        ("{{.Config.Labels.none}}", "<no value>"),
        ('{{index .Config.Labels "a.b"}}', "c"),
        ('{{index .Config.Labels "none"}}', ""),
        ('{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"),
        ('{{with index .Ports "443/tcp"}}{{.}}{{else}}closed{{end}}', "closed"),
        ("{{.Config.Cmd}}|{{.MemorySwappiness}}", "[]|<no value>"),
        ("{{json .Config}}", '{"Labels":{"tier":"front","a.b":"c"},"Cmd":null}'),
        ("{{json .Missing}}", "null"),
        ('{{join .Env ","}}', "A=1,B=2"),
        ("{{range .Env}}[{{.}}]{{end}}", "[A=1][B=2]"),
        ("{{range $i, $e := .Env}}{{if $i}};{{end}}{{$i}}={{$e}}{{end}}", "0=A=1;1=B=2"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "a.b:c tier:front "),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ("{{range .Missing}}x{{end}}", ""),
        ('{{range .Env}}{{if eq . "B=2"}}{{continue}}{{end}}{{.}}{{end}}', "A=1"),
        ("{{range .Env}}{{.}}{{break}}{{end}}", "A=1"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{if .Missing}}a{{else if .On}}b{{else}}c{{end}}", "b"),
        ("{{if and .On .Name}}{{.Name}}{{end}}", "web"),
        ("{{or .Missing .Name}}", "web"),
        ("{{not .On}}", "false"),
        ('{{if eq .Name "db" "web"}}y{{end}}', "y"),
        ("{{if and (gt .Count 2) (le .Count 3) (ne .Count 4) (lt 1 2) (ge 2 2)}}y{{end}}", "y"),
        ("{{with .Config}}{{.Labels.tier}} {{$.Name}}{{end}}", "front web"),
        ('{{$x := .Name}}{{$x = "db"}}{{$x}}', "db"),
        ("a {{- .Name -}} b", "aweb" + "b"),
        ("{{/* said nothing */}}x", "x"),
        ("{{- /* nor here */ -}} x", "x"),
        ("{{len .Env}} {{len .Name}} {{len .Missing}}", "2 3 0"),
        ('{{printf "%-5s|%5d|%05.1f|%q|%x|%v|%%" .Name .Count .Share .Name 255 .Env}}', 'web  |    3|000.5|"web"|ff|[A=1 B=2]|%'),
        ('{{printf "%s" }}', "%!s(MISSING)"),
        ('{{upper .Name}} {{lower "ABC"}} {{title "big ship"}}', "WEB abc Big Ship"),
        ('{{split "a/b" "/"}} {{truncate .Name 2}} {{pad .Name 1 2}}|', "[a b] we  web  |"),
        ("{{println .Name .Count}}", "web 3\n"),
        ('{{.Name | printf "%s-%s" "x" | upper}}', "X-WEB"),
        ("{{slice .Name 1}} {{slice .Name 0 1}}", "eb w"),
        ('{{html "<a>"}} {{urlquery "a b"}}', "&lt;a&gt; a+b"),
        ("{{`raw \\n`}} {{'a'}} {{0x1f}} {{-2}} {{true}}", "raw \\n 97 31 -2 true"),
        ("{{.Config.Labels | len}}", "2"),
    ],
)
def test_templates_print_as_gos(source: str, expected: str) -> None:
    assert render(parse(source), DATA) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{", "template: :1: unclosed action"),
        ("{{.Name", "template: :1: unclosed action"),
        ("{{nope}}", 'template: :1: function "nope" not defined'),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{if .Name}}", "template: :1: unexpected EOF"),
        ("{{if}}{{end}}", "template: :1: missing value for if"),
        ("{{}}", "template: :1: missing value for command"),
        ("{{$x}}", 'template: :1: undefined variable "$x"'),
        ('{{"a}}', "template: :1: unterminated quoted string"),
        ("{{break}}", "template: :1: {{break}} outside {{range}}"),
        ("{{/* x", "template: :1: unclosed comment"),
        ("{{(.Name}}", "template: :1: unclosed left paren"),
        ("{{.Missing}}", 'template: :1:2: executing "" at <.Missing>: map has no entry for key "Missing"'),
        ("{{.Missing.More}}", 'template: :1:2: executing "" at <.Missing.More>: map has no entry for key "Missing"'),
        ("{{.Name.More}}", 'template: :1:2: executing "" at <.Name.More>: can\'t evaluate field More in type string'),
        ("{{index .Env 9}}", 'template: :1:2: executing "" at <index .Env 9>: error calling index: index out of range: 9'),
        ("{{gt .Name 1}}", 'template: :1:2: executing "" at <gt .Name 1>: error calling gt: incompatible types for comparison'),
        ("{{upper}}", 'template: :1:2: executing "" at <upper>: wrong number of args for upper: got 0'),
        ("{{range .On}}{{end}}", 'template: :1:8: executing "" at <.On>: range can\'t iterate over true'),
    ],
)
def test_what_goes_wrong_is_told_in_gos_words(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(parse(source), DATA)
    assert str(caught.value) == message


@given(st.text(alphabet='{}.$|()"` \n-:=abNrangeifdw,0', max_size=40))
def test_no_template_breaks_the_program(source: str) -> None:
    try:
        render(parse(source), DATA)
    except TemplateError:
        pass


@given(st.text(max_size=50).filter(lambda text: "{{" not in text))
def test_text_stays_as_it_is(text: str) -> None:
    assert render(parse(text), DATA) == text
