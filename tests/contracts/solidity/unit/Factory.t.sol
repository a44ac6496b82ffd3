// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {ISaleFactory} from "../../../../contracts/src/interfaces/ISaleFactory.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Fixture} from "../base/Fixture.sol";

/// @notice Listing: checked, at an address that commits to the terms.
contract FactoryTest is Fixture {
    function testTheAddressCommitsToTheTerms() public {
        bytes memory terms = abi.encodePacked(
            SELLER,
            uint96(PRICE),
            uint32(WINDOW),
            uint32(site),
            uint16(0),
            uint16(2019),
            uint8(6),
            uint8(5),
            "Nimbus",
            "alpha",
            "4AA6"
        );
        address expected = _clone(terms);
        VM.expectEmit(address(factory));
        emit ISaleFactory.Listed(expected, SELLER, terms);
        ISale sale = _list(WINDOW);
        VM.assertEq(address(sale), expected, "address");
        VM.assertTrue(factory.isSale(address(sale)), "ours");
        VM.assertEq(uint256(VM.load(address(sale), 0)), 0, "nothing stored");
    }

    function testOnlyWhatTheFactoryMadeIsASale() public {
        ISale sale = _list(WINDOW);
        VM.assertFalse(factory.isSale(address(0)), "nothing");
        VM.assertFalse(factory.isSale(STRANGER), "an account");
        VM.assertFalse(factory.isSale(address(implementation)), "the implementation");
        VM.assertFalse(factory.isSale(address(factory)), "the factory");
        VM.etch(address(0xc09f), address(sale).code);
        VM.assertFalse(factory.isSale(address(0xc09f)), "the same code elsewhere");
        ISaleFactory other = ISaleFactory(_deploy("SaleFactory", address(implementation)));
        VM.assertFalse(other.isSale(address(sale)), "another factory's");
        VM.etch(address(0xc0a0), new bytes(44));
        VM.assertFalse(factory.isSale(address(0xc0a0)), "too short");
        VM.etch(address(0xc0a0), new bytes(45));
        VM.assertFalse(factory.isSale(address(0xc0a0)), "no terms");
    }

    function testKnowsItsParts() public view {
        VM.assertEq(factory.implementation(), address(implementation), "implementation");
        VM.assertEq(factory.registry(), address(registry), "registry");
    }

    function testTheSameOrderTwiceIsRefused() public {
        ISale sale = _list(WINDOW);
        _refuse(_item(WINDOW), abi.encodeWithSelector(ISaleFactory.AlreadyListed.selector, 0, address(sale)));
        Item memory item = _item(WINDOW);
        item.edition = 1;
        VM.assertFalse(address(_list(item)) == address(sale), "another edition");
    }

    function testAnotherSellersSameGoodsAreAnotherSale() public {
        ISale sale = _list(WINDOW);
        VM.prank(STRANGER);
        VM.assertFalse(factory.createSale(_item(WINDOW)) == address(sale), "another sale");
    }

    function testTextsUpTo64Bytes() public {
        string memory longest = string(new bytes(64));
        string memory tooLong = string(new bytes(65));
        Item memory item = _item(WINDOW);
        (item.make, item.model, item.number) = (longest, longest, longest);
        ISale sale = _list(item);
        (string memory make, string memory model,,,,,) = sale.getItem();
        VM.assertEq(make, longest, "make");
        VM.assertEq(model, longest, "model");
        VM.assertEq(sale.number(), longest, "number");
        item.make = tooLong;
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidMake.selector, 0, 65));
        (item.make, item.model) = (longest, tooLong);
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidModel.selector, 0, 65));
        (item.model, item.number) = (longest, tooLong);
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidNumber.selector, 0, 65));
    }

    function testEmptyTexts() public {
        Item memory item = _item(WINDOW);
        item.number = "";
        VM.assertEq(_list(item).number(), "", "no number");
        item.make = "";
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidMake.selector, 0, 0));
        (item.make, item.model) = ("x", "");
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidModel.selector, 0, 0));
    }

    function testYearBelow2To16() public {
        Item memory item = _item(WINDOW);
        item.year = 2 ** 16;
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidYear.selector, 0, 2 ** 16));
        item.year = 2 ** 16 - 1;
        (,, uint256 year,,,,) = _list(item).getItem();
        VM.assertEq(year, 2 ** 16 - 1, "year");
    }

    function testPriceAbove0AndBelow2To96() public {
        Item memory item = _item(WINDOW);
        item.price = 0;
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidPrice.selector, 0, 0));
        item.price = 2 ** 96;
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidPrice.selector, 0, 2 ** 96));
        item.price = 2 ** 96 - 1;
        (,,, uint256 price,,,) = _list(item).getItem();
        VM.assertEq(price, 2 ** 96 - 1, "price");
    }

    function testWindowUpTo366Days() public {
        Item memory item = _item(366 days + 1);
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidWindow.selector, 0, 366 days + 1));
        VM.assertEq(_list(366 days).window(), 366 days, "window");
    }

    function testEditionBelow2To16() public {
        Item memory item = _item(WINDOW);
        item.edition = 2 ** 16;
        _refuse(item, abi.encodeWithSelector(ISaleFactory.InvalidEdition.selector, 0, 2 ** 16));
        item.edition = 2 ** 16 - 1;
        VM.assertEq(_list(item).edition(), 2 ** 16 - 1, "edition");
    }

    function testOnlyOpenSites() public {
        uint256[4] memory closed = [uint256(0), site + 1, 2 ** 32 + site, type(uint256).max];
        Item memory item = _item(WINDOW);
        for (uint256 i = 0; i < closed.length; ++i) {
            item.site = closed[i];
            _refuse(item, abi.encodeWithSelector(ISaleFactory.SiteNotOffered.selector, 0, closed[i]));
        }
        VM.prank(OPERATOR);
        registry.closeSite(site);
        _refuse(_item(WINDOW), abi.encodeWithSelector(ISaleFactory.SiteNotOffered.selector, 0, site));
    }

    function testABatchListsAll() public {
        Item[] memory items = _batch(3);
        VM.prank(SELLER);
        address[] memory sales = factory.createSales(items);
        VM.assertEq(sales.length, 3, "all");
        for (uint256 i = 0; i < sales.length; ++i) {
            VM.assertTrue(factory.isSale(sales[i]), "ours");
            VM.assertEq(ISale(sales[i]).edition(), i, "in order");
        }
    }

    function testAnEmptyBatchListsNothing() public {
        VM.assertEq(factory.createSales(new Item[](0)).length, 0, "nothing");
    }

    function testABatchIsAllOrNothingAndNamesTheIndex() public {
        Item[] memory items = _batch(3);
        items[2].price = 0;
        address first = _predicted(items[0]);
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISaleFactory.InvalidPrice.selector, 2, 0));
        factory.createSales(items);
        VM.assertEq(first.code.length, 0, "nothing listed");
        items[2].price = PRICE;
        items[2].edition = 0;
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISaleFactory.AlreadyListed.selector, 2, first));
        factory.createSales(items);
    }

    function testABatchLooksAtEverySite() public {
        Item[] memory items = _batch(3);
        items[0].site = 0;
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISaleFactory.SiteNotOffered.selector, 0, 0));
        factory.createSales(items);
        items[0].site = site;
        items[1].site = site + 1;
        VM.prank(SELLER);
        _expect(abi.encodeWithSelector(ISaleFactory.SiteNotOffered.selector, 1, site + 1));
        factory.createSales(items);
        VM.prank(OPERATOR);
        registry.openSite("Gate 2");
        VM.prank(SELLER);
        VM.assertEq(ISale(factory.createSales(items)[1]).site(), site + 1, "two sites in one batch");
    }

    function testTooLittleGasIsNotMistakenForADuplicate() public {
        bytes memory call = abi.encodeCall(ISaleFactory.createSale, (_item(WINDOW)));
        uint256 failed;
        bool done;
        for (uint256 gas = 30_000; !done; gas += 100) {
            bytes memory answer;
            VM.prank(SELLER);
            (done, answer) = address(factory).call{gas: gas}(call);
            if (!done) VM.assertEq(answer.length, 0, "out of gas, in no other words");
            ++failed;
        }
        VM.assertGe(failed, 100, "tried");
    }

    function testACloneThatCannotBeMadeIsNoDuplicate() public {
        VM.setNonceUnsafe(_predicted(_item(WINDOW)), 1);
        _refuse(_item(WINDOW), abi.encodeWithSelector(ISaleFactory.DeploymentFailed.selector, 0));
    }

    function testFuzzTermsRoundTrip(Item memory item, address seller) public {
        item.make = _cut(item.make, 1);
        item.model = _cut(item.model, 1);
        item.number = _cut(item.number, 0);
        item.year %= 2 ** 16;
        item.price = item.price % (2 ** 96 - 1) + 1;
        item.window %= 366 days + 1;
        item.edition %= 2 ** 16;
        item.site = site;
        VM.assume(seller != address(0));
        VM.prank(seller);
        ISale sale = ISale(factory.createSale(item));
        (string memory make, string memory model, uint256 year, uint256 price, bool sold, address owner, address none) =
            sale.getItem();
        VM.assertEq(abi.encode(make, model, year, price), abi.encode(item.make, item.model, item.year, item.price), "");
        VM.assertEq(abi.encode(sold, owner, none), abi.encode(false, seller, address(0)), "parties");
        VM.assertEq(sale.number(), item.number, "number");
        VM.assertEq(
            abi.encode(sale.window(), sale.site(), sale.edition()),
            abi.encode(item.window, item.site, item.edition),
            "numbers"
        );
        VM.assertTrue(factory.isSale(address(sale)), "ours");
    }

    function _cut(string memory text, uint256 least) private pure returns (string memory) {
        uint256 length = bytes(text).length;
        if (length < least) return "x";
        if (length <= 64) return text;
        assembly {
            mstore(text, 64)
        }
        return text;
    }

    function _batch(uint256 count) private view returns (Item[] memory items) {
        items = new Item[](count);
        for (uint256 i = 0; i < count; ++i) {
            items[i] = _item(WINDOW);
            items[i].edition = i;
        }
    }

    function _predicted(Item memory item) private view returns (address) {
        bytes memory numbers = abi.encodePacked(
            SELLER, uint96(item.price), uint32(item.window), uint32(item.site), uint16(item.edition), uint16(item.year)
        );
        return _clone(
            abi.encodePacked(
                numbers,
                uint8(bytes(item.make).length),
                uint8(bytes(item.model).length),
                item.make,
                item.model,
                item.number
            )
        );
    }

    function _clone(bytes memory terms) private view returns (address) {
        bytes memory code = abi.encodePacked(
            hex"61",
            uint16(terms.length + 45),
            hex"3d81600a3d39f3363d3d373d3d3d363d73",
            address(implementation),
            hex"5af43d82803e903d91602b57fd5bf3",
            terms
        );
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(factory), bytes32(0), keccak256(code)));
        return address(uint160(uint256(hash)));
    }

    function _refuse(Item memory item, bytes memory refusal) private {
        VM.prank(SELLER);
        _expect(refusal);
        factory.createSale(item);
    }
}
