"""Stock, prices, taxes, suppliers, and what appointment types charge: points 52 to 54, 70 and 71 of the checklist."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.sandbox.rules.prices import both_prices
from sandbox.client import Client, errors, last


@pytest.fixture
def band(client: Client) -> str:
    return client.post("/products", {"name": "Band", "price": 22.0, "stock_level": "10"})["id"]


def adjust(client: Client, product: str, kind: str, quantity: object, status: int = 201, **more: object) -> Any:
    body = {"product_id": product, "adjustment_type": kind, "quantity": quantity, **more}
    return client.post("/stock_adjustments", body, status)


def level(client: Client, product: str) -> str:
    return client.get(f"/products/{product}")["stock_level"]


@pytest.mark.parametrize("price", [4_000_000_000, -4_000_000_000, 1e308])
def test_53_a_price_that_no_record_could_hold_is_refused(client: Client, band: str, price: float) -> None:
    before = client.get(f"/products/{band}")
    refused = client.patch(f"/products/{band}", {"price": price}, status=422)
    assert errors(refused) == {"price": "must be less than 4000000000"}
    assert "price" in errors(client.post("/products", {"name": "Gold", "price": price}, status=422))
    assert client.get(f"/products/{band}") == before


@pytest.mark.parametrize("kind", ["Stock Purchase", "Returned", "Other"])
def test_52_goods_that_come_in_raise_the_stock(client: Client, band: str, kind: str) -> None:
    adjust(client, band, kind, "2.5")
    assert level(client, band) == "12.5"


@pytest.mark.parametrize("kind", ["Damaged", "Out of Date", "Item Sold", "Other", "Correction"])
def test_52_goods_that_go_out_lower_the_stock_below_nothing_even(client: Client, band: str, kind: str) -> None:
    adjust(client, band, kind, "-4")
    adjust(client, band, kind, "-7")
    assert level(client, band) == "-1.0"


@pytest.mark.parametrize(
    ("kind", "quantity"),
    [("Stock Purchase", "-1"), ("Returned", -1), ("Damaged", "1"), ("Item Sold", 3), ("Correction", "1"), ("Other", 0)],
)
def test_52_a_quantity_of_the_wrong_sign_moves_nothing(client: Client, band: str, kind: str, quantity: object) -> None:
    assert set(errors(adjust(client, band, kind, quantity, 422))) == {"quantity"}
    assert level(client, band) == "10.0"
    assert client.get("/stock_adjustments", f"product_id:={band}")["total_entries"] == 0


def test_52_stock_that_no_record_could_hold_is_refused(client: Client, band: str) -> None:
    assert errors(adjust(client, band, "Returned", "3999999990", 422)) == {"quantity": "is invalid"}


def test_52_an_adjustment_is_signed_and_stays_as_it_is(client: Client, tom: Client, band: str) -> None:
    made = adjust(tom, band, "Item Sold", "-1", comment="At the desk")
    assert last(made["user"]) == tom.get("/user")["id"]
    assert made["notes"] == made["comment"] == "At the desk"
    path = f"/stock_adjustments/{made['id']}"
    for method, more in (("PATCH", ""), ("DELETE", ""), ("POST", "/archive")):
        assert client.request(method, path + more, body={"quantity": "-5"}).status == 404
    assert client.get(path) == made
    assert level(client, band) == "9.0"


def test_52_stock_is_given_at_the_start_and_ignored_on_a_patch(client: Client, band: str) -> None:
    changed = client.patch(f"/products/{band}", {"stock_level": "99", "name": "Wide band"})
    assert (changed["stock_level"], changed["name"]) == ("10.0", "Wide band")
    assert client.post("/products", {"name": "Ball", "price": 5})["stock_level"] == "0.0"


def test_53_a_price_with_or_without_tax_makes_both_prices(client: Client) -> None:
    gst = client.id("taxes", "GST")
    inside = client.post("/products", {"name": "Ball", "price": 22.0, "price_includes_tax": True, "tax_id": gst})
    outside = client.post("/products", {"name": "Roll", "price": 22.0, "price_includes_tax": False, "tax_id": gst})
    free = client.post("/products", {"name": "Tape", "price": 22.0})
    assert (inside["price_ex_tax"], inside["price_including_tax"]) == ("20.0", "22.0")
    assert (outside["price_ex_tax"], outside["price_including_tax"]) == ("22.0", "24.2")
    assert (free["price_ex_tax"], free["price_including_tax"]) == ("22.0", "22.0")
    assert not {"price", "price_includes_tax"} & set(inside)


def test_53_another_tax_or_another_rate_makes_other_prices(client: Client) -> None:
    vat = client.post("/taxes", {"name": "VAT", "rate": "20"})["id"]
    ball = client.post("/products", {"name": "Ball", "price": 24, "price_includes_tax": True, "tax_id": vat})["id"]
    client.patch(f"/taxes/{vat}", {"rate": "50"})
    assert client.get(f"/products/{ball}")["price_ex_tax"] == "16.0"
    assert client.patch(f"/products/{ball}", {"tax_id": None})["price_ex_tax"] == "24.0"
    assert client.patch(f"/products/{ball}", {"price": 12})["price_including_tax"] == "12.0"


amounts = st.decimals(0, 10_000, places=2)


@given(amounts, st.booleans(), st.sampled_from(["0.0", "10.0", "15.0", "20.0", "12.5"]))
def test_53_the_price_that_was_written_is_one_of_the_two_and_tax_never_lowers(
    price: Any, inside: bool, rate: str
) -> None:
    shown = both_prices(float(price), inside, rate)
    without, whole = float(str(shown["price_ex_tax"])), float(str(shown["price_including_tax"]))
    assert (whole if inside else without) == float(price)
    assert without <= whole
    assert abs(without * (1 + float(rate) / 100) - whole) <= 0.0126


def test_53_a_supplier_may_be_named_the_old_way(client: Client) -> None:
    first = client.post("/products", {"name": "Ball", "price": 1, "product_supplier_name": "Acme Example"})
    second = client.post("/products", {"name": "Roll", "price": 1, "product_supplier_name": "Acme Example"})
    assert first["product_supplier_id"] == second["product_supplier_id"] == last(first["product_supplier"])
    assert second["product_supplier_name"] == "Acme Example"
    assert client.get("/product_suppliers", "name:=Acme Example")["total_entries"] == 1


@pytest.fixture
def fee(client: Client) -> str:
    return client.post("/billable_items", {"name": "Consult", "item_type": "Service", "price": "95"})["id"]


OLD = [
    ("billable_item_id", "appointment_type_billable_items", "/billable_items", {"item_type": "Other", "price": "5"}),
    ("product_id", "appointment_type_products", "/products", {"price": 5}),
]


@pytest.mark.parametrize(("field", "joins", "things", "needed"), OLD)
def test_54_the_old_field_of_a_type_makes_changes_and_removes_a_join(
    client: Client, field: str, joins: str, things: str, needed: dict[str, object]
) -> None:
    one, two = (client.post(things, {"name": name, **needed})["id"] for name in ("One", "Two"))
    link = field.removesuffix("_id")
    body = {"name": "Walk", "color": "#fff", "duration_in_minutes": 30, "max_attendees": 1, field: one}
    kind = client.post("/appointment_types", body)
    path, mine = f"/appointment_types/{kind['id']}", f"appointment_type_id:={kind['id']}"
    assert last(kind[link]) == one
    join = client.rows(f"/{joins}", mine)
    assert [(last(row[link]), row["quantity"]) for row in join] == [(one, "1.0")]
    assert last(client.patch(path, {field: two})[link]) == two
    assert [(row["id"], last(row[link])) for row in client.rows(f"/{joins}", mine)] == [(join[0]["id"], two)]
    assert link not in client.patch(path, {field: None})
    assert client.rows(f"/{joins}", mine) == []


def test_54_a_join_shows_in_the_old_link_and_leaves_it_when_deleted(client: Client, fee: str) -> None:
    kind = client.id("appointment_types", "Standard consult")
    body = {"appointment_type_id": kind, "billable_item_id": fee, "quantity": "1"}
    other = client.post("/billable_items", {"name": "Report", "item_type": "Other", "price": "30"})["id"]
    first = client.post("/appointment_type_billable_items", body)["id"]
    second = client.post("/appointment_type_billable_items", body | {"billable_item_id": other})["id"]
    assert last(client.get(f"/appointment_types/{kind}")["billable_item"]) == fee
    client.delete(f"/appointment_type_billable_items/{first}")
    client.get(f"/appointment_type_billable_items/{first}", status=404)
    assert last(client.get(f"/appointment_types/{kind}")["billable_item"]) == other
    client.delete(f"/appointment_type_billable_items/{second}")
    assert "billable_item" not in client.get(f"/appointment_types/{kind}")


def test_54_a_discount_is_a_percentage_or_money(client: Client, fee: str) -> None:
    kind = client.id("appointment_types", "Standard consult")
    body = {"appointment_type_id": kind, "billable_item_id": fee, "quantity": "1"}
    path = "/appointment_type_billable_items"
    both = client.post(path, body | {"discount_percentage": "10", "discounted_amount": "5"}, 422)
    assert set(errors(both)) == {"discounted_amount"}
    made = client.post(path, body | {"discount_percentage": "10"})
    assert (made["discount_percentage"], made["is_monetary_discount"]) == ("10.0", False)
    money = client.patch(f"{path}/{made['id']}", {"discounted_amount": "5"})
    assert (money["discount_percentage"], money["discounted_amount"]) == (None, "5.0")
    assert money["is_monetary_discount"] is True
    assert set(errors(client.post(path, body | {"discount_percentage": "101"}, 422))) == {"discount_percentage"}


def test_70_discount_groups_cannot_be_archived_and_their_prices_only_read(client: Client, fee: str) -> None:
    group = client.post("/concession_types", {"name": "Pensioner"})
    assert group["archived_at"] is None
    assert client.request("POST", f"/concession_types/{group['id']}/archive").status == 404
    assert client.request("DELETE", f"/concession_types/{group['id']}").status == 404
    price = client.sandbox.context.insert(
        "concession_prices", {"billable_item_id": fee, "concession_type_id": group["id"], "price": "60.0"}
    )
    shown = client.get(f"/concession_prices/{price['id']}")
    assert (shown["price"], last(shown["billable_item"]), last(shown["concession_type"])) == ("60.0", fee, group["id"])
    assert client.get("/concession_prices", f"concession_type_id:={group['id']}")["total_entries"] == 1
    for method, path in (("POST", ""), ("PATCH", f"/{price['id']}"), ("DELETE", f"/{price['id']}")):
        assert client.request(method, f"/concession_prices{path}", body={"price": "1"}).status == 404


def test_70_a_supplier_is_out_of_reach_once_archived(client: Client, band: str) -> None:
    supplier = client.post("/product_suppliers", {"name": "Acme Example"})
    assert "archived_at" not in supplier
    client.patch(f"/products/{band}", {"product_supplier_id": supplier["id"]})
    client.post(f"/product_suppliers/{supplier['id']}/archive", status=204)
    client.get(f"/product_suppliers/{supplier['id']}", status=404)
    assert client.get("/product_suppliers")["total_entries"] == 0
    client.get("/product_suppliers", "archived_at:*", status=400)
    assert last(client.get(f"/products/{band}")["product_supplier"]) == supplier["id"]


@pytest.mark.parametrize(
    ("things", "body"), [("/products", {"price": 1}), ("/billable_items", {"price": "1", "item_type": "Other"})]
)
def test_71_a_tax_in_use_cannot_be_deleted(client: Client, things: str, body: dict[str, object]) -> None:
    vat = client.post("/taxes", {"name": "VAT", "rate": "20"})["id"]
    thing = client.post(things, {"name": "Ball", "tax_id": vat, **body})["id"]
    assert set(errors(client.delete(f"/taxes/{vat}", 422))) == {"base"}
    client.post(f"{things}/{thing}/archive", status=204)
    client.delete(f"/taxes/{vat}", 422)
    assert client.get(f"/taxes/{vat}")["rate"] == "20.0"


def test_71_a_tax_that_nothing_names_goes_for_good(client: Client, band: str) -> None:
    vat = client.post("/taxes", {"name": "VAT", "rate": "20"})["id"]
    client.patch(f"/products/{band}", {"tax_id": vat})
    client.patch(f"/products/{band}", {"tax_id": None})
    client.delete(f"/taxes/{vat}")
    client.get(f"/taxes/{vat}", status=404)
