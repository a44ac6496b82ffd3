// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDeviceRegistry} from "../../../../contracts/src/interfaces/IDeviceRegistry.sol";
import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {ISaleFactory} from "../../../../contracts/src/interfaces/ISaleFactory.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Vm} from "./Vm.sol";
import {Wallet} from "./Wallet.sol";

/// @notice A consortium with one operator, one site, one device; a seller and a buyer; the published goods.
abstract contract Fixture {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant PRICE = 50 ether;
    uint256 internal constant WINDOW = 30 days;
    uint256 internal constant BUYER_KEY = 0xb0b;
    uint256 internal constant DEVICE_KEY = 0xde1ce;
    bytes32 internal constant CERTIFICATE = keccak256("certificate");

    address internal constant ADMIN = address(0xad111);
    address internal constant OPERATOR = address(0x09e7a704);
    address internal constant SELLER = address(0x5e11e7);
    address internal constant STRANGER = address(0x57a4ce);

    address internal buyer;
    address internal device;
    uint256 internal site;
    uint256 internal deviceId;
    uint256 internal until;

    IDeviceRegistry internal registry;
    ISale internal implementation;
    ISaleFactory internal factory;

    function setUp() public virtual {
        VM.warp(START);
        buyer = VM.addr(BUYER_KEY);
        device = VM.addr(DEVICE_KEY);
        until = START + 1000 days;
        registry = IDeviceRegistry(_deploy("DeviceRegistry", ADMIN));
        implementation = ISale(_deploy("Sale", address(registry)));
        factory = ISaleFactory(_deploy("SaleFactory", address(implementation)));
        VM.deal(buyer, 1000 ether);
        VM.deal(STRANGER, 1000 ether);
        VM.deal(SELLER, 1 ether);
        VM.prank(ADMIN);
        registry.listOperator(OPERATOR, "Harbour Ltd");
        VM.prank(OPERATOR);
        site = registry.openSite("Gate 1");
        deviceId = _provision(site, DEVICE_KEY, until);
    }

    /// @dev As forge compiled it for the chain; the tests themselves are compiled without the optimiser.
    function _deploy(string memory name, address argument) internal returns (address) {
        return VM.deployCode(string.concat(name, ".sol:", name), abi.encode(argument));
    }

    function _item(uint256 window) internal view returns (Item memory) {
        return Item({
            make: "Nimbus",
            model: "alpha",
            number: "4AA6",
            year: 2019,
            price: PRICE,
            window: window,
            site: site,
            edition: 0
        });
    }

    function _list(uint256 window) internal returns (ISale) {
        return _list(_item(window));
    }

    function _list(Item memory item) internal returns (ISale) {
        VM.prank(SELLER);
        return ISale(factory.createSale(item));
    }

    function _listBy(Wallet seller, uint256 window) internal returns (ISale) {
        return _listBy(seller, window, 0);
    }

    function _listBy(Wallet seller, uint256 window, uint256 edition) internal returns (ISale) {
        Item memory item = _item(window);
        item.edition = edition % 2 ** 16;
        item.year = edition / 2 ** 16;
        VM.prank(address(seller));
        return ISale(factory.createSale(item));
    }

    function _soldToWallet() internal returns (ISale sale, Wallet wallet) {
        wallet = new Wallet();
        sale = _list(WINDOW);
        VM.deal(address(wallet), PRICE);
        wallet.execute(address(sale), PRICE, abi.encodeCall(ISale.buy, ()));
    }

    function _buy(ISale sale) internal {
        VM.prank(buyer);
        sale.buy{value: PRICE}();
    }

    function _sold(uint256 window) internal returns (ISale sale) {
        sale = _list(window);
        _buy(sale);
    }

    function _releasing(uint256 window) internal returns (ISale sale) {
        sale = _sold(window);
        _release(sale);
    }

    function _released(uint256 window) internal returns (ISale sale) {
        sale = _releasing(window);
        VM.prank(device);
        sale.complete();
    }

    function _release(ISale sale) internal {
        uint256 expiresAt = block.timestamp + 1 days;
        bytes memory signature = _voucher(sale, expiresAt);
        VM.prank(device);
        sale.release(buyer, expiresAt, signature);
    }

    function _voucher(ISale sale, uint256 expiresAt) internal view returns (bytes memory) {
        return _sign(BUYER_KEY, sale.voucherDigest(expiresAt));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _consent(uint256 id, uint256 siteId, uint256 key, uint256 until_) internal view returns (bytes memory) {
        return _sign(key, registry.consentDigest(id, siteId, VM.addr(key), until_, CERTIFICATE, OPERATOR));
    }

    function _provision(uint256 siteId, uint256 key, uint256 until_) internal returns (uint256) {
        bytes memory consent = _consent(0, siteId, key, until_);
        VM.prank(OPERATOR);
        return registry.provision(siteId, VM.addr(key), until_, CERTIFICATE, consent);
    }

    function _rotate(uint256 id, uint256 key, uint256 until_) internal {
        bytes memory consent = _consent(id, site, key, until_);
        VM.prank(OPERATOR);
        registry.rotate(id, VM.addr(key), until_, CERTIFICATE, consent);
    }

    function _decommission(uint256 id) internal {
        VM.prank(OPERATOR);
        registry.decommission(id);
    }

    /// @dev Sets slot 0's attempt, which a test cannot reach by 16 million calls.
    function _setAttempt(ISale sale, uint256 attempt) internal {
        uint256 slot = uint256(VM.load(address(sale), 0));
        slot = (slot & ~(uint256(type(uint24).max) << 168)) | (attempt << 168);
        VM.store(address(sale), 0, bytes32(slot));
    }

    function _assertStatus(ISale sale, Status status) internal view {
        VM.assertEq(uint256(sale.status()), uint256(status), "status");
    }

    function _expect(bytes memory refusal) internal {
        VM.expectRevert(refusal);
    }
}
