// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IDeviceRegistry} from "./interfaces/IDeviceRegistry.sol";
import {Device} from "./types/Device.sol";
import {Domain} from "./types/Domain.sol";
import {Signature} from "./types/Signature.sol";
import {Site} from "./types/Site.sol";

/// @title Who may open what
contract DeviceRegistry is IDeviceRegistry, Ownable2Step {
    bytes32 private constant CONSENT_TYPEHASH =
        keccak256("Consent(uint256 id,uint256 site,address device,uint256 until,bytes32 certificate,address operator)");
    uint256 private constant NAME_MAX = 64;

    mapping(address operator => bool) private _listed;
    mapping(uint256 id => Site) private _sites;
    mapping(address account => Device) private _devices;
    mapping(uint256 id => address) private _accounts;
    mapping(uint256 id => bytes32) private _certificates;
    uint32 private _lastSite;
    uint24 private _lastDevice;

    /// @param admin Who lists operators.
    constructor(address admin) Ownable(admin) {}

    /// @dev Ether without a call belongs to nobody.
    receive() external payable {
        revert EtherRefused(msg.sender, msg.value);
    }

    /// @inheritdoc IDeviceRegistry
    function listOperator(address operator, string calldata name) external onlyOwner {
        // Check:
        if (operator == address(0)) revert InvalidAddress();
        if (_listed[operator]) revert OperatorAlreadyListed(operator);
        _checkName(name);

        // Effect:
        _listed[operator] = true;
        emit OperatorListed(operator, name);
    }

    /// @inheritdoc IDeviceRegistry
    function delistOperator(address operator) external onlyOwner {
        // Check:
        _checkListed(operator);

        // Effect:
        _listed[operator] = false;
        emit OperatorDelisted(operator);
    }

    /// @inheritdoc IDeviceRegistry
    function openSite(string calldata name) external returns (uint256 id) {
        // Check:
        _checkListed(msg.sender);
        _checkName(name);
        if (_lastSite == type(uint32).max) revert SitesExhausted();

        // Effect:
        id = ++_lastSite;
        _sites[id] = Site({operator: msg.sender, open: true, name: name});
        emit SiteOpened(id, msg.sender, name);
    }

    /// @inheritdoc IDeviceRegistry
    function closeSite(uint256 id) external {
        // Check:
        if (!_sites[id].open) revert SiteNotOpen(id);
        _checkOperator(_sites[id].operator);

        // Effect:
        _sites[id].open = false;
        emit SiteClosed(id);
    }

    /// @inheritdoc IDeviceRegistry
    function provision(uint256 siteId, address account, uint256 until, bytes32 certificate, bytes calldata consent)
        external
        returns (uint256 id)
    {
        // Check:
        if (!_sites[siteId].open) revert SiteNotOpen(siteId);
        _checkOperator(_sites[siteId].operator);
        _checkListed(msg.sender);
        if (_devices[account].id != 0) revert AddressInUse(account, _devices[account].id);
        if (_lastDevice == type(uint24).max) revert DevicesExhausted();
        _checkConsent(0, siteId, account, until, certificate, consent);

        // Effect:
        id = ++_lastDevice;
        _record(id, siteId, account, until, certificate);
        emit Provisioned(id, siteId, account, until, certificate);
    }

    /// @inheritdoc IDeviceRegistry
    function rotate(uint256 id, address account, uint256 until, bytes32 certificate, bytes calldata consent) external {
        // Check:
        Device memory old = _devices[_accounts[id]];
        if (old.until == 0) revert UnknownDevice(id);
        _checkOperator(old.operator);
        uint256 held = _devices[account].id;
        if (held != 0 && held != id) revert AddressInUse(account, held);
        _checkConsent(id, old.site, account, until, certificate, consent);

        // Effect:
        _devices[_accounts[id]].until = 0;
        _record(id, old.site, account, until, certificate);
        emit Rotated(id, old.site, account, until, certificate);
    }

    /// @inheritdoc IDeviceRegistry
    function decommission(uint256 id) external {
        // Check:
        Device storage found = _devices[_accounts[id]];
        if (found.until == 0) revert UnknownDevice(id);
        _checkOperator(found.operator);

        // Effect:
        found.until = 0;
        emit Decommissioned(id);
    }

    /// @notice Refused: without an admin no operator could ever be listed again.
    function renounceOwnership() public view override onlyOwner {
        revert OwnableInvalidOwner(address(0));
    }

    /// @inheritdoc IDeviceRegistry
    function isListed(address operator) external view returns (bool) {
        return _listed[operator];
    }

    /// @inheritdoc IDeviceRegistry
    function isOpen(uint256 siteId) external view returns (bool) {
        return _sites[siteId].open;
    }

    /// @inheritdoc IDeviceRegistry
    function site(uint256 id) external view returns (address operator, string memory name, bool open) {
        Site memory found = _sites[id];
        return (found.operator, found.name, found.open);
    }

    /// @inheritdoc IDeviceRegistry
    function device(uint256 id)
        external
        view
        returns (address account, uint256 siteId, uint256 until, address operator, bool active)
    {
        account = _accounts[id];
        Device memory found = _devices[account];
        return (account, found.site, found.until, found.operator, _active(found));
    }

    /// @inheritdoc IDeviceRegistry
    function idOf(address account) external view returns (uint256) {
        return _devices[account].id;
    }

    /// @inheritdoc IDeviceRegistry
    function certificateOf(uint256 id) external view returns (bytes32) {
        return _certificates[id];
    }

    /// @inheritdoc IDeviceRegistry
    function activeDevice(address account) external view returns (uint256 id, uint256 siteId) {
        Device memory found = _devices[account];
        if (_active(found)) return (found.id, found.site);
    }

    /// @inheritdoc IDeviceRegistry
    function settles(uint256 id, address account) external view returns (bool) {
        Device memory found = _devices[account];
        if (found.id == id && _active(found)) return true;
        found = _devices[_accounts[id]];
        return found.operator == account && !_active(found);
    }

    /// @inheritdoc IDeviceRegistry
    function consentDigest(
        uint256 id,
        uint256 siteId,
        address account,
        uint256 until,
        bytes32 certificate,
        address operator
    ) external view returns (bytes32) {
        return _digest(id, siteId, account, until, certificate, operator);
    }

    /// @dev The ranges are checked: site and device ids are counted in their own types, `until` in `_checkConsent`.
    function _record(uint256 id, uint256 siteId, address account, uint256 until, bytes32 certificate) private {
        _devices[account] = Device({site: uint32(siteId), until: uint40(until), id: uint24(id), operator: msg.sender});
        _accounts[id] = account;
        _certificates[id] = certificate;
    }

    function _checkConsent(
        uint256 id,
        uint256 siteId,
        address account,
        uint256 until,
        bytes32 certificate,
        bytes calldata consent
    ) private view {
        if (until <= block.timestamp || until > type(uint40).max) {
            revert InvalidUntil(until, block.timestamp);
        }
        if (certificate == 0) revert InvalidCertificate();
        bytes32 digest = _digest(id, siteId, account, until, certificate, msg.sender);
        if (!Signature.isValid(account, digest, consent)) revert InvalidConsent(account);
    }

    function _checkListed(address operator) private view {
        if (!_listed[operator]) revert OperatorNotListed(operator);
    }

    function _checkOperator(address operator) private view {
        if (msg.sender != operator) revert NotOperator(msg.sender, operator);
    }

    function _active(Device memory found) private view returns (bool) {
        return block.timestamp < found.until;
    }

    function _digest(uint256 id, uint256 siteId, address account, uint256 until, bytes32 certificate, address operator)
        private
        view
        returns (bytes32)
    {
        return MessageHashUtils.toTypedDataHash(
            Domain.separator(),
            keccak256(abi.encode(CONSENT_TYPEHASH, id, siteId, account, until, certificate, operator))
        );
    }

    function _checkName(string calldata name) private pure {
        uint256 length = bytes(name).length;
        if (length == 0 || length > NAME_MAX) revert InvalidName(length);
    }
}
