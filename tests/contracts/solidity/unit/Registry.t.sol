// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDeviceRegistry} from "../../../../contracts/src/interfaces/IDeviceRegistry.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";

interface IOwnable2Step {
    error OwnableInvalidOwner(address owner);
    error OwnableUnauthorizedAccount(address account);

    function owner() external view returns (address);
    function transferOwnership(address admin) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
}

/// @notice Who may open what: operators, sites, devices.
contract RegistryTest is Fixture {
    address private constant OTHER = address(0x07e4);
    uint256 private constant KEY = 0xd2;

    function testTheAdminListsOperators() public {
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.OperatorListed(OTHER, "Quay Ltd");
        VM.prank(ADMIN);
        registry.listOperator(OTHER, "Quay Ltd");
        VM.assertTrue(registry.isListed(OTHER), "listed");
        VM.prank(ADMIN);
        _expect(abi.encodeWithSelector(IDeviceRegistry.OperatorAlreadyListed.selector, OTHER));
        registry.listOperator(OTHER, "Quay Ltd");
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.OperatorDelisted(OTHER);
        VM.prank(ADMIN);
        registry.delistOperator(OTHER);
        VM.assertFalse(registry.isListed(OTHER), "delisted");
        VM.prank(ADMIN);
        _expect(abi.encodeWithSelector(IDeviceRegistry.OperatorNotListed.selector, OTHER));
        registry.delistOperator(OTHER);
        VM.prank(ADMIN);
        registry.listOperator(OTHER, "Quay Ltd again");
    }

    function testNobodyElseListsOperators() public {
        bytes memory refusal = abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, OPERATOR);
        VM.prank(OPERATOR);
        _expect(refusal);
        registry.listOperator(OTHER, "Quay Ltd");
        VM.prank(OPERATOR);
        _expect(refusal);
        registry.delistOperator(OPERATOR);
    }

    function testTheAdminHandsOverInTwoSteps() public {
        IOwnable2Step ownable = IOwnable2Step(address(registry));
        VM.prank(ADMIN);
        ownable.transferOwnership(OTHER);
        VM.assertEq(ownable.owner(), ADMIN, "not yet");
        VM.prank(OTHER);
        ownable.acceptOwnership();
        VM.prank(OTHER);
        registry.delistOperator(OPERATOR);
    }

    function testTheAdminCannotLeaveNobodyInCharge() public {
        VM.prank(ADMIN);
        _expect(abi.encodeWithSelector(IOwnable2Step.OwnableInvalidOwner.selector, address(0)));
        IOwnable2Step(address(registry)).renounceOwnership();
        VM.prank(OTHER);
        _expect(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, OTHER));
        IOwnable2Step(address(registry)).renounceOwnership();
        VM.assertEq(IOwnable2Step(address(registry)).owner(), ADMIN, "still");
    }

    function testNobodyIsNoOperator() public {
        VM.prank(ADMIN);
        _expect(abi.encodeWithSelector(IDeviceRegistry.InvalidAddress.selector));
        registry.listOperator(address(0), "Nobody");
    }

    function testNamesOf1To64Bytes() public {
        uint256[2] memory wrong = [uint256(0), 65];
        for (uint256 i = 0; i < wrong.length; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IDeviceRegistry.InvalidName.selector, wrong[i]);
            VM.prank(ADMIN);
            _expect(refusal);
            registry.listOperator(OTHER, string(new bytes(wrong[i])));
            VM.prank(OPERATOR);
            _expect(refusal);
            registry.openSite(string(new bytes(wrong[i])));
        }
        string memory longest = string(new bytes(64));
        VM.prank(ADMIN);
        registry.listOperator(OTHER, longest);
        VM.prank(OTHER);
        registry.openSite(longest);
    }

    function testSitesCountFrom1() public {
        VM.assertEq(site, 1, "first");
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.SiteOpened(2, OPERATOR, "Gate 2");
        VM.prank(OPERATOR);
        VM.assertEq(registry.openSite("Gate 2"), 2, "second");
        (address operator, string memory name, bool open) = registry.site(2);
        VM.assertEq(abi.encode(operator, name, open), abi.encode(OPERATOR, "Gate 2", true), "facts");
        (operator, name, open) = registry.site(3);
        VM.assertEq(abi.encode(operator, name, open), abi.encode(address(0), "", false), "unknown");
        VM.assertTrue(registry.isOpen(2), "open");
        VM.assertFalse(registry.isOpen(3), "never opened");
        VM.assertFalse(registry.isOpen(0), "none");
    }

    function testOnlyListedOperatorsOpenSites() public {
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(IDeviceRegistry.OperatorNotListed.selector, STRANGER));
        registry.openSite("Gate 2");
    }

    function testSiteIdsEnd() public {
        _setCounters(type(uint32).max - 1, 1);
        VM.prank(OPERATOR);
        VM.assertEq(registry.openSite("last"), type(uint32).max, "last");
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.SitesExhausted.selector));
        registry.openSite("none left");
    }

    function testItsOperatorClosesASite() public {
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotOperator.selector, STRANGER, OPERATOR));
        registry.closeSite(site);
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.SiteClosed(site);
        VM.prank(OPERATOR);
        registry.closeSite(site);
        (address operator, string memory name, bool open) = registry.site(site);
        VM.assertEq(abi.encode(operator, name, open), abi.encode(OPERATOR, "Gate 1", false), "facts kept");
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.SiteNotOpen.selector, site));
        registry.closeSite(site);
    }

    function testProvisionTakesTheDevicesConsent() public {
        address account = VM.addr(KEY);
        bytes memory consent = _consent(0, site, KEY, until);
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.Provisioned(2, site, account, until, CERTIFICATE);
        VM.prank(OPERATOR);
        VM.assertEq(registry.provision(site, account, until, CERTIFICATE, consent), 2, "id");
        _assertDevice(2, account, until, true);
        VM.assertEq(registry.idOf(account), 2, "id of");
        VM.assertEq(registry.certificateOf(2), CERTIFICATE, "certificate");
        (uint256 id, uint256 site_) = registry.activeDevice(account);
        VM.assertEq(abi.encode(id, site_), abi.encode(2, site), "active");
    }

    function testWithoutConsentNobodyRegistersAKey() public {
        bytes memory refusal = abi.encodeWithSelector(IDeviceRegistry.InvalidConsent.selector, VM.addr(KEY));
        bytes[6] memory wrong = [
            bytes(""),
            _consent(1, site, KEY, until),
            _consent(0, site + 1, KEY, until),
            _consent(0, site, KEY, until + 1),
            _sign(BUYER_KEY, registry.consentDigest(0, site, VM.addr(KEY), until, CERTIFICATE, OPERATOR)),
            _sign(KEY, registry.consentDigest(0, site, VM.addr(KEY), until, CERTIFICATE, OTHER))
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            VM.prank(OPERATOR);
            _expect(refusal);
            registry.provision(site, VM.addr(KEY), until, CERTIFICATE, wrong[i]);
        }
        bytes memory consent = _consent(0, site, KEY, until);
        VM.prank(OPERATOR);
        _expect(refusal);
        registry.provision(site, VM.addr(KEY), until, keccak256("another certificate"), consent);
        VM.chainId(block.chainid + 1);
        VM.prank(OPERATOR);
        _expect(refusal);
        registry.provision(site, VM.addr(KEY), until, CERTIFICATE, consent);
    }

    function testNobodyIsNoDevice() public {
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.InvalidConsent.selector, address(0)));
        registry.provision(site, address(0), until, CERTIFICATE, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function testADeviceMayBeAContract() public {
        Wallet wallet = new Wallet();
        wallet.sign(abi.encode(bytes4(0x1626ba7e)));
        VM.prank(OPERATOR);
        registry.provision(site, address(wallet), until, CERTIFICATE, "");
        VM.assertEq(registry.idOf(address(wallet)), 2, "id");
    }

    function testOnlyTheSitesListedOperatorProvisions() public {
        bytes memory consent = _consent(0, site, KEY, until);
        address account = VM.addr(KEY);
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotOperator.selector, STRANGER, OPERATOR));
        registry.provision(site, account, until, CERTIFICATE, consent);
        VM.prank(ADMIN);
        registry.delistOperator(OPERATOR);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.OperatorNotListed.selector, OPERATOR));
        registry.provision(site, account, until, CERTIFICATE, consent);
    }

    function testOnlyOpenSitesTakeDevices() public {
        bytes memory consent = _consent(0, site, KEY, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.SiteNotOpen.selector, 9));
        registry.provision(9, VM.addr(KEY), until, CERTIFICATE, consent);
        VM.prank(OPERATOR);
        registry.closeSite(site);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.SiteNotOpen.selector, site));
        registry.provision(site, VM.addr(KEY), until, CERTIFICATE, consent);
    }

    function testAnAddressHoldsOneIdForEver() public {
        bytes memory consent = _consent(0, site, DEVICE_KEY, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.AddressInUse.selector, device, deviceId));
        registry.provision(site, device, until, CERTIFICATE, consent);
        _decommission(deviceId);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.AddressInUse.selector, device, deviceId));
        registry.provision(site, device, until, CERTIFICATE, consent);
        uint256 second = _provision(site, KEY, until);
        consent = _consent(second, site, DEVICE_KEY, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.AddressInUse.selector, device, deviceId));
        registry.rotate(second, device, until, CERTIFICATE, consent);
    }

    function testUntilLiesInTheFutureAndBelow2To40() public {
        uint256[3] memory wrong = [START, 2 ** 40, 0];
        for (uint256 i = 0; i < wrong.length; ++i) {
            bytes memory consent = _consent(0, site, KEY, wrong[i]);
            VM.prank(OPERATOR);
            _expect(abi.encodeWithSelector(IDeviceRegistry.InvalidUntil.selector, wrong[i], START));
            registry.provision(site, VM.addr(KEY), wrong[i], CERTIFICATE, consent);
        }
        _assertDevice(_provision(site, KEY, START + 1), VM.addr(KEY), START + 1, true);
        _assertDevice(_provision(site, 0xd3, 2 ** 40 - 1), VM.addr(0xd3), 2 ** 40 - 1, true);
    }

    function testACertificateIsNotZero() public {
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.InvalidCertificate.selector));
        registry.provision(site, VM.addr(KEY), until, 0, "");
    }

    function testDeviceIdsEnd() public {
        _setCounters(1, type(uint24).max - 1);
        VM.assertEq(_provision(site, KEY, until), type(uint24).max, "last");
        bytes memory consent = _consent(0, site, 0xd3, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.DevicesExhausted.selector));
        registry.provision(site, VM.addr(0xd3), until, CERTIFICATE, consent);
    }

    function testRotateGivesANewKeyAtOnce() public {
        address account = VM.addr(KEY);
        bytes memory consent = _consent(deviceId, site, KEY, until + 1);
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.Rotated(deviceId, site, account, until + 1, CERTIFICATE);
        VM.prank(OPERATOR);
        registry.rotate(deviceId, account, until + 1, CERTIFICATE, consent);
        _assertDevice(deviceId, account, until + 1, true);
        (uint256 id,) = registry.activeDevice(device);
        VM.assertEq(id, 0, "the old key is dead");
        VM.assertEq(registry.idOf(device), deviceId, "and stays with its id");
        _rotate(deviceId, DEVICE_KEY, until);
        _assertDevice(deviceId, device, until, true);
        (id,) = registry.activeDevice(account);
        VM.assertEq(id, 0, "back again");
    }

    function testRotateWithTheSameAddressRenews() public {
        VM.warp(until);
        _assertDevice(deviceId, device, until, false);
        bytes32 renewed = keccak256("renewed");
        bytes memory consent =
            _sign(DEVICE_KEY, registry.consentDigest(deviceId, site, device, until + 9, renewed, OPERATOR));
        VM.prank(OPERATOR);
        registry.rotate(deviceId, device, until + 9, renewed, consent);
        _assertDevice(deviceId, device, until + 9, true);
        VM.assertEq(registry.certificateOf(deviceId), renewed, "certificate");
    }

    function testRotateNeedsItsOwnConsent() public {
        bytes memory consent = _consent(0, site, KEY, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.InvalidConsent.selector, VM.addr(KEY)));
        registry.rotate(deviceId, VM.addr(KEY), until, CERTIFICATE, consent);
    }

    function testOnlyItsOperatorRotatesAndDecommissions() public {
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotOperator.selector, STRANGER, OPERATOR));
        registry.rotate(deviceId, device, until, CERTIFICATE, "");
        VM.prank(STRANGER);
        _expect(abi.encodeWithSelector(IDeviceRegistry.NotOperator.selector, STRANGER, OPERATOR));
        registry.decommission(deviceId);
    }

    function testRunningOrdersOutliveDelistingAndClosing() public {
        VM.prank(ADMIN);
        registry.delistOperator(OPERATOR);
        VM.prank(OPERATOR);
        registry.closeSite(site);
        _rotate(deviceId, KEY, until);
        _assertDevice(deviceId, VM.addr(KEY), until, true);
        _decommission(deviceId);
    }

    function testDecommissionIsForGoodAndKeepsTheFacts() public {
        VM.expectEmit(address(registry));
        emit IDeviceRegistry.Decommissioned(deviceId);
        _decommission(deviceId);
        _assertDevice(deviceId, device, 0, false);
        VM.assertEq(registry.certificateOf(deviceId), CERTIFICATE, "certificate");
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, deviceId));
        registry.decommission(deviceId);
        bytes memory consent = _consent(deviceId, site, DEVICE_KEY, until);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, deviceId));
        registry.rotate(deviceId, device, until, CERTIFICATE, consent);
    }

    function testUnknownIdsAreNobodys() public {
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, 9));
        registry.decommission(9);
        VM.prank(OPERATOR);
        _expect(abi.encodeWithSelector(IDeviceRegistry.UnknownDevice.selector, 0));
        registry.rotate(0, device, until, CERTIFICATE, "");
        VM.assertFalse(registry.settles(9, OPERATOR), "operator");
        VM.assertFalse(registry.settles(0, STRANGER), "stranger");
    }

    function testWhoSettlesWhat() public {
        VM.assertTrue(registry.settles(deviceId, device), "the device");
        VM.assertFalse(registry.settles(deviceId, OPERATOR), "not its operator");
        VM.assertFalse(registry.settles(deviceId + 1, device), "another id");
        VM.warp(until);
        VM.assertFalse(registry.settles(deviceId, device), "expired");
        VM.assertTrue(registry.settles(deviceId, OPERATOR), "its operator");
        VM.assertFalse(registry.settles(deviceId, STRANGER), "a stranger");
    }

    function testTheConsentIsPlainTypedData() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Lading"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 typehash = keccak256(
            "Consent(uint256 id,uint256 site,address device,uint256 until,bytes32 certificate,address operator)"
        );
        bytes32 consent = keccak256(abi.encode(typehash, 7, 8, device, 9, CERTIFICATE, OPERATOR));
        VM.assertEq(
            registry.consentDigest(7, 8, device, 9, CERTIFICATE, OPERATOR),
            keccak256(abi.encodePacked(hex"1901", domain, consent)),
            "digest"
        );
    }

    function _assertDevice(uint256 id, address account, uint256 until_, bool active) private view {
        (address account_, uint256 site_, uint256 stored, address operator, bool active_) = registry.device(id);
        VM.assertEq(
            abi.encode(account_, site_, stored, operator, active_),
            abi.encode(account, site, until_, OPERATOR, active),
            "device"
        );
    }

    /// @dev The counters' slot in the compiler's layout.
    function _setCounters(uint32 lastSite, uint24 lastDevice) private {
        VM.store(address(registry), bytes32(uint256(7)), bytes32(uint256(lastDevice) << 32 | lastSite));
    }
}
