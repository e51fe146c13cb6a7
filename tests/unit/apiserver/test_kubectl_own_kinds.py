"""kubectl and a kind that somebody defines: its schema, columns, status, explain and deletion."""

import pytest

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ovens.kitchen.example}
spec:
  group: kitchen.example
  names: {kind: Oven, plural: ovens, shortNames: [ov], categories: [all]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Degrees, type: integer, jsonPath: .spec.degrees}
    - {name: Ready, type: string, jsonPath: .status.ready}
    - {name: Colour, type: string, jsonPath: .spec.colour, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [degrees]
            properties:
              degrees: {type: integer, minimum: 50, maximum: 300, description: How hot it is.}
              colour: {type: string, default: white, enum: [white, black]}
          status:
            type: object
            properties: {ready: {type: string}}
"""
OVEN = """
apiVersion: kitchen.example/v1
kind: Oven
metadata: {name: big}
spec: {degrees: 200}
status: {ready: "yes"}
"""


@pytest.fixture
async def ovens(kubectl):
    assert await kubectl("apply", "-f", "-", given=CRD) == (
        0,
        "customresourcedefinition.apiextensions.k8s.io/ovens.kitchen.example created\n",
    )
    assert (await kubectl("wait", "--for=condition=Established", "crd/ovens.kitchen.example"))[0] == 0


async def test_columns_and_defaults(kubectl, ovens):
    await kubectl("apply", "-f", "-", given=OVEN)
    _, output = await kubectl("get", "ov", "-o", "wide")
    head, row = (line.split() for line in output.splitlines())
    assert head == ["NAME", "DEGREES", "READY", "COLOUR"]
    assert row == ["big", "200", "white"]


async def test_status_is_written_apart(kubectl, ovens):
    await kubectl("apply", "-f", "-", given=OVEN)
    patch = ("patch", "oven", "big", "--subresource=status", "--type=merge", "-p", '{"status":{"ready":"yes"}}')
    assert await kubectl(*patch) == (0, "oven.kitchen.example/big patched\n")
    assert await kubectl("get", "oven", "big", "-o", "jsonpath={.status.ready}") == (0, "yes")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("degrees: 200", "degrees: 20", "spec.degrees: Invalid value: 20: spec.degrees in body should be greater than"),
        ("degrees: 200", "degrees: hot", 'spec.degrees: Invalid value: "string": spec.degrees in body must be of type'),
        ("degrees: 200", "colour: black", "spec.degrees: Required value"),
        ("200}", "200, colour: red}", 'spec.colour: Unsupported value: "red": supported values: "white", "black"'),
        ("200}", "200, colr: red}", 'strict decoding error: unknown field "spec.colr"'),
    ],
)
async def test_what_the_schema_forbids(kubectl, ovens, old, new, message):
    code, output = await kubectl("apply", "-f", "-", given=OVEN.replace(old, new))
    assert code == 1
    assert message in output


async def test_server_side_apply_of_an_own_kind(kubectl, ovens):
    arguments = ("apply", "--server-side", "-f", "-")
    assert await kubectl(*arguments, given=OVEN) == (0, "oven.kitchen.example/big serverside-applied\n")
    code, output = await kubectl(*arguments, "--field-manager=b", given=OVEN.replace("200", "100"))
    assert (code, 'conflict with "kubectl": .spec.degrees' in output) == (1, True)


async def test_explain_tells_what_its_author_wrote(kubectl, ovens):
    _, output = await kubectl("explain", "oven.spec")
    assert "degrees\t<integer> -required-\n    How hot it is." in output
    assert "enum: white, black" in output


async def test_it_goes_with_its_definition(kubectl, ovens):
    await kubectl("apply", "-f", "-", given=OVEN)
    assert (await kubectl("delete", "crd", "ovens.kitchen.example"))[0] == 0
    code, output = await kubectl("get", "ovens")
    assert (code, output.endswith("the server could not find the requested resource\n")) == (1, True)
